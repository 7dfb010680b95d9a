"""Denoising of historical recordings with the two-stage U-Net."""
