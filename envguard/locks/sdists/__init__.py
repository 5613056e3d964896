"""Packages that a lock has from their source, and what builds them."""
