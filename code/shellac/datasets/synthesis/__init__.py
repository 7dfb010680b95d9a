"""Corpora made by computation: seeded, free of rights, no download."""
