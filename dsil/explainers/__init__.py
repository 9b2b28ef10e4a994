"""Explainers: of the paper, and our own."""
