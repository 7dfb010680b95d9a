"""Listening tests: stimuli and what is asked about them."""
