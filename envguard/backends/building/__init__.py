"""Wheels from sdists, built where nothing can be reached or changed."""
