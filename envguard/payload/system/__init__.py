"""What the machine around an environment must have."""
