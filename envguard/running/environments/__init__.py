"""Environments made ready: locked, built, checked, proved, repaired, exported."""
