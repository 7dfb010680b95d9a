"""Decoding in a process of its own, so that a file which crashes the decoder is a plain error."""
