"""Data sets: sources of uint8 images under one small contract."""
