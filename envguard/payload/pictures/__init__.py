"""Picture files, read as a viewer shows them."""
