"""What one does with a trained run: load, sample, encode, sort, name, export."""
