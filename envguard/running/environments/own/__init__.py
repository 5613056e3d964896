"""Packages of a project's own: locked with what they need, built from their folders, editable where users work."""
