"""Who wants what: losses, bounds on information, and the step that moves G, D and Q."""
