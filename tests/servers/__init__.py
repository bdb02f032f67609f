"""Real servers for tests: MinIO, PostgreSQL, and a proxy that fails on demand."""
