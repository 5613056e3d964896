"""Lock files: every pin and hash of one environment edition on one Python minor, and the proofs that they work."""
