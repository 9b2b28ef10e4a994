"""What every part of the package uses: errors, checked input, files, and code by name."""
