"""Lock files, with every pin and hash for one environment edition on one Python minor, and proofs that they work."""
