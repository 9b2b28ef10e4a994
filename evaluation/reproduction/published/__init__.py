"""Published figures, as CSV; README.md names their source."""
