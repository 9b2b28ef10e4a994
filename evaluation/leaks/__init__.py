"""Leak controls: what names the ground truth of a table without a detector."""
