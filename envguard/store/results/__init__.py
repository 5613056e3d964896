"""Results of steps that are kept."""
