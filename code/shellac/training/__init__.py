"""One training loop for all systems, with exact resume."""
