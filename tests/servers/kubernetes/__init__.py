"""A real control plane of Kubernetes: programs built once from the Go module proxy."""
