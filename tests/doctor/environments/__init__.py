"""Real environments, broken and whole, and what is found in them."""
