"""The stages as Kubeflow components: signature, docstring, one library call."""
