"""The stages: one module each, one public function of the same name."""
