"""The shipped releases, as YAML files."""
