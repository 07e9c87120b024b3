"""What each player optimises: losses, the objective, and the step that trains them."""
