"""What `tenantry serve` costs and bears, beside two servers of scikit-learn models."""
