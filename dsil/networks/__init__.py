"""The networks: their weights, their outputs, their gradients, and steps of their training."""
