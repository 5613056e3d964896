"""What lies in a project beside its work: its catalog and its CI workflow."""
