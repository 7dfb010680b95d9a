"""Corpora: where recordings come from, which are fit for training, and how they are split."""
