"""Compare locked packages with advisories that a user names: a file, or an address that serves one."""
