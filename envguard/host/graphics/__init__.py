"""What draws on this host."""
