"""Bayesian networks: their graph, what a node takes from its parents, its noise, and its files."""
