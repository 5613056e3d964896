"""Rewritings of a graph, one per module: each changes a model in place and says what it changed."""
