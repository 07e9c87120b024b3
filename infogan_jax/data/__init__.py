"""Images from files, archives and generators, as batches of bytes."""
