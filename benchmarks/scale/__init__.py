"""What a fleet costs beside a bare script that reads the same rows and makes the same fits."""
