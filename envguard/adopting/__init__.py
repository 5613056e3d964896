"""Make a project's envguard.toml from the files that it has: they are read as data, and nothing of them is run."""
