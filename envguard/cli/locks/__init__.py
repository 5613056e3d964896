"""Locks: make them, prove them, show and export them."""
