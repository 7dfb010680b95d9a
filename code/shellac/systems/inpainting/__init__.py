"""Inpainting: lost frames of a magnitude spectrogram."""
