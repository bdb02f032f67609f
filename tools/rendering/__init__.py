"""Make those files below manifests/ and tenant_specs/ that follow from others in the repository."""
