"""Builds the images with buildah and runs the pipeline's stages inside."""
