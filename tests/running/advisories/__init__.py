"""Locked packages are compared with advisories."""
