"""Which runtimes take a model, by rules and for real: a runtime with the processor that it uses is a road."""
