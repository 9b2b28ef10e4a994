"""The kinds of anomalies, and how they come into a table of clean rows."""
