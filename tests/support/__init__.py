"""What tests share: the real things that they use, and small made ones."""
