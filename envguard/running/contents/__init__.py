"""What is in an environment: its packages as they say it themselves, and bills of materials of them."""
