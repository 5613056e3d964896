"""Built environments on disk: keyed by what they are made of, locked, proved, marked ready last."""
