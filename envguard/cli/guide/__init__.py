"""How to use envguard, from envguard itself: help and the manual page."""
