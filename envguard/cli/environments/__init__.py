"""Environments: make them, look at them, work in them."""
