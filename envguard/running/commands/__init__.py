"""What a command step is given besides its environment and its files."""
