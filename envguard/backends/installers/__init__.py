"""Install locks into folders: with uv, or where uv cannot be used with virtualenv and pip, to the same files."""
