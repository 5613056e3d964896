"""What is in an environment is told as others read it."""
