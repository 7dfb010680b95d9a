"""Bandwidth extension of historical recordings with BEHM-GAN."""
