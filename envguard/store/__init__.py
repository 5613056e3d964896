"""Built environments on disk: named by what they are made of, locked, proved, and marked ready last."""
