"""Data sets: loading, preparing and batching of images as bytes."""
