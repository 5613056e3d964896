"""What Linux, macOS and Windows do each in a way of their own, under names that are the same on all."""
