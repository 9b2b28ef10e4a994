"""The regression check: two runs, paired trial by trial, and whether the new one is worse.

`compare` is the whole of it; `pairing` finds the pairs and what cannot be one, `verdict` evaluates the
differences, `rendering` shows them. What holds a run is read in `results.stored_runs`.
"""

from xadbench.evaluation.results.stored_runs import Run, read_run

from .compare import RegressionCheck, compare
from .pairing import ALLOWANCES, Notice
from .verdict import Comparison, Criteria

__all__ = ["ALLOWANCES", "Comparison", "RegressionCheck", "Notice", "Run", "Criteria", "compare", "read_run"]
