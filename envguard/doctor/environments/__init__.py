"""Examine any environment of a user by reading it: what is broken in it, the root first, and how to mend it."""
