"""What Git declares: products, tenants, and the spec that their merge gives."""
