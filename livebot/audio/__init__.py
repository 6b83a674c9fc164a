"""Samples in, chunks out."""
