"""What this host offers: its interpreters, its platform, its variables."""
