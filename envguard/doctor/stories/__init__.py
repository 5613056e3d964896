"""Readers of what tools tell over several lines or in a structure: which kind of failure it is, and its names."""
