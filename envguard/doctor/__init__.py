"""From a symptom to its cause and its cure: rules for what tools print, checks of this host and of environments."""
