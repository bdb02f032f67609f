"""What a product can tell a tenant about its predictions, in words and figures."""
