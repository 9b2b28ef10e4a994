"""Runs of a suite: its jobs, in this process or in workers, which may hang or die."""
