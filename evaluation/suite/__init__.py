"""Suites: a grid of trials as a typed file, its tables, and its controls."""
