"""What a run found, as one document and its renderings."""
