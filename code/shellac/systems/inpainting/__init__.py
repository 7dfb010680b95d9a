"""Inpainting: gaps in a recording, filled in on its spectrogram."""
