"""BABE-2: a diffusion-based generative equaliser for historical recordings."""
