"""BABE-2: a diffusion model of music as a generative equaliser."""
