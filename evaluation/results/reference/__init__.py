"""Results that ship with the package, a file a suite."""
