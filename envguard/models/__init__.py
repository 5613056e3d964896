"""The models wing: commands, documents and texts of the tasks whose inputs are models."""
