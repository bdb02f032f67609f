"""Where everything durable lives: one object store contract, a folder and any S3 API behind it."""
