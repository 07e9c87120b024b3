"""What a trained InfoGAN shows: codes of images, images of codes, and numbers."""
