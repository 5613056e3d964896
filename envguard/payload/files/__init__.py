"""Model files and what goes with them: bundles, calibration inputs, recipes."""
