"""envguard: locked, isolated environments for tools that refuse to share one."""

__version__ = "0.1.0"
