"""Compares two runs, and says whether the new one passes."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from xadbench.datasets.common.threads import one_thread
from xadbench.evaluation.results.reference_results import SHIPPED
from xadbench.evaluation.results.statistics import RESAMPLES
from xadbench.evaluation.results.stored_runs import BASELINES, Run, read_run

from .pairing import NOTE, Notice, pair
from .verdict import Comparison, Criteria, compare_pairs

FAILURES = "new-failures"


@dataclass(frozen=True)
class RegressionCheck:
    """The gate's answer: the comparisons, and what is to be known of the pairs.

    Where something refuses a comparison, there is none.
    """

    base: str
    new: str
    criteria: Criteria
    comparisons: tuple[Comparison, ...]
    notices: tuple[Notice, ...]

    @property
    def not_comparable(self) -> list[Notice]:
        """What makes the runs no pair, and is not allowed."""
        return [one for one in self._not_allowed if one.kind != FAILURES]

    @property
    def failures(self) -> list[Notice]:
        """New failures that are not allowed."""
        return [one for one in self._not_allowed if one.kind == FAILURES]

    @property
    def worse(self) -> list[Comparison]:
        """The comparisons that fail."""
        return [one for one in self.comparisons if one.verdict == "worse"]

    @property
    def passed(self) -> bool:
        """Whether nothing fails and nothing is refused."""
        return not (self.not_comparable or self.failures or self.worse)

    @property
    def _not_allowed(self) -> list[Notice]:
        return [one for one in self.notices if one.kind not in {NOTE, *self.criteria.allowed}]


@one_thread()
def compare(
    base: str | os.PathLike[str] | Run,
    new: str | os.PathLike[str] | Run,
    criteria: Criteria | None = None,
    baselines: Path = BASELINES,
    n_resamples: int = RESAMPLES,
) -> RegressionCheck:
    """Compare two runs, trial by trial.

    Parameters
    ----------
    base, new
        Runs, or where to read them: a folder, `shipped:SUITE`, or the name of a baseline; see `read_run`.
    criteria
        What the gate demands; default: as `Criteria` has it.
    baselines
        The folder of named baselines.
    n_resamples
        Of the bootstrap behind the intervals.

    Times are not compared with results that the package ships: they are of another machine.

    Raises
    ------
    InputError
        If a run cannot be read, or the two have no value in common.

    Examples
    --------
    >>> from xadbench import compare
    >>> check = compare("shipped:quick", "shipped:quick")
    >>> check.passed, check.worse
    (True, [])
    """
    criteria = criteria or Criteria()
    ours, theirs = (
        run if isinstance(run, Run) else read_run(os.fspath(run), baselines) for run in (base, new)
    )
    of_package = [run.name for run in (ours, theirs) if run.name.startswith(SHIPPED)]
    if of_package:
        criteria = replace(criteria, time_tolerance=None)
    pairs = pair(ours, theirs, criteria.metrics, criteria.scope, time=criteria.time_tolerance is not None)
    notices = (
        *pairs.notices,
        *(Notice(NOTE, f"{name}: made on another machine, so times are not compared") for name in of_package),
    )
    check = RegressionCheck(ours.name, theirs.name, criteria, (), notices)
    if check.not_comparable:
        return check
    return replace(check, comparisons=tuple(compare_pairs(pairs, criteria, n_resamples)))
