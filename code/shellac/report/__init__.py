"""Figures, tables and the manuscript: reads results, computes no metric."""
