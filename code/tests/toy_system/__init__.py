"""A system as a contributor would add it: one learned number."""
