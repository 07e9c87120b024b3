"""What is trained: codes and noise, and the networks G, D and Q."""
