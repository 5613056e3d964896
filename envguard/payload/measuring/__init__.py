"""Running models side by side: outputs, times, profiles."""
