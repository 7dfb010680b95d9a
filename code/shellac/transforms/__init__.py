"""Transforms, each with its inverse beside it."""
