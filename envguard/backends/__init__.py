"""Ways to make a plan runnable."""
