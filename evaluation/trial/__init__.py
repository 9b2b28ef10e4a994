"""One trial: a table, a detector, an explainer and a seed; from its key to its scores."""
