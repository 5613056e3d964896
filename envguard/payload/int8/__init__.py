"""From a float model to an int8 one: what becomes int8, how weights are rounded, which recipe is best."""
