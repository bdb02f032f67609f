"""What people do with a tenant's models: history, rollback, pin, unpin, diff."""
