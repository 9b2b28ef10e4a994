"""What somebody submits: an explainer, a detector, attributions; and its place among a suite's entries."""
