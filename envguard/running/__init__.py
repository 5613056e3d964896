"""Start steps in prepared environments: clean variables, events, signals, exit codes, pipelines."""
