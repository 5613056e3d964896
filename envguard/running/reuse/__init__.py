"""Steps that need not run again."""
