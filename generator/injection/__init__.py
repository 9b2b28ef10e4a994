"""Anomalies with known features in real rows."""
