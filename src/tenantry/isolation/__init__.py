"""What keeps tenants apart while a run works for them."""
