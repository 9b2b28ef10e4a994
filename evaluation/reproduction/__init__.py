"""The paper's detection experiments: one resumable grid, and tables and figures made from its cells."""
