"""Restoration without learned weights: clicks, hum and hiss by signal models alone."""
