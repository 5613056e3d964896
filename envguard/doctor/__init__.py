"""Trace symptoms to causes and cures: rules for what tools print, and checks of this host and of environments."""
