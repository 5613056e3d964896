"""What is on this host, what is wrong with it, and what a log says."""
