"""The command line: arguments into one call, a result into a screen or a JSON document."""
