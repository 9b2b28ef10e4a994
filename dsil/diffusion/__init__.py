"""Diffusion: the noise schedule, and what a network learns to tell of the noise in a row."""
