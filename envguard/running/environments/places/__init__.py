"""What requirements name the place of: found or fetched, and built where it is source."""
