"""What a project has becomes its envguard.toml."""
