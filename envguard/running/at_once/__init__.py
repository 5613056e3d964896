"""Steps that run at the same time."""
