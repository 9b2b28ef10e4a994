"""What a suite can name: the registry's entries, their factories, and their identity."""
