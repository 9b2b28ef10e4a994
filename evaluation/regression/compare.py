"""Compares two runs, and says whether the new one passes."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xadbench.datasets.common.threads import one_thread
from xadbench.evaluation.results.frame import VALUE
from xadbench.evaluation.results.reference_results import SHIPPED
from xadbench.evaluation.results.statistics import RESAMPLES
from xadbench.evaluation.results.stored_runs import BASELINES, Run, read_run

from .local import SCOPES_OF_ROWS
from .pairing import NOTE, Notice, Pairs, pair
from .verdict import SUITE, Comparison, Criteria, compare_pairs

FAILURES = "new-failures"


@dataclass(frozen=True)
class RegressionCheck:
    """The gate's answer: the comparisons, and what is to be known of the pairs.

    `comparisons` are of the whole suite, `parts` of single trials, tables and
    detectors. Where something refuses a comparison, there is none.
    """

    base: str
    new: str
    criteria: Criteria
    comparisons: tuple[Comparison, ...]
    parts: tuple[Comparison, ...]
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
        return [one for one in (*self.comparisons, *self.parts) if one.verdict == "worse"]

    @property
    def unclear(self) -> list[Comparison]:
        """The comparisons with a loss that may be chance."""
        return [one for one in (*self.comparisons, *self.parts) if one.verdict == "unclear"]

    @property
    def stopping(self) -> list[Comparison]:
        """The comparisons that the gate fails by: the worse ones, and unclear ones where it is told to."""
        return self.worse + (self.unclear if self.criteria.unclear == "fail" else [])

    @property
    def passed(self) -> bool:
        """Whether nothing fails and nothing is refused."""
        return not (self.not_comparable or self.failures or self.stopping)

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
    check = RegressionCheck(ours.name, theirs.name, criteria, (), (), notices)
    if check.not_comparable:
        return check
    found = compare_pairs(pairs, criteria, n_resamples)
    parts = tuple(one for one in found if one.level != SUITE)
    whole = tuple(one for one in found if one.level == SUITE)
    about = (*_of_facts(parts), *_unseen(pairs, parts, criteria))
    return replace(check, comparisons=whole, parts=parts, notices=(*notices, *about))


def _of_facts(parts: Iterable[Comparison]) -> Iterator[Notice]:
    """Yield what changed though nothing it depends on did."""
    changed = [one for one in parts if one.level == "trial" and one.is_fact and one.has_changed]
    if changed:
        text = (
            "scores changed that should repeat: keys (versions, parameters, tables, seeds) and environment "
            "are equal"
        )
        worst = sorted(changed, key=lambda one: -abs(one.change))
        names = (f"{one.explainer} on {one.where}: {one.measure} {one.change:+.3g}" for one in worst)
        yield Notice(NOTE, text, tuple(names))


def _unseen(pairs: Pairs, parts: Sequence[Comparison], criteria: Criteria) -> Iterator[Notice]:
    """Yield what a loss on a part of the suite could not be shown by."""
    if not pairs.same_seeds:
        yield Notice(NOTE, "rows of other seeds are no pairs: trials, tables and detectors are not compared")
    blind = [one for one in parts if not one.is_fact and not one.n_units and one.has_changed]
    if blind:
        reason = (
            "a run, of an earlier version, has no scores of rows; run it, and save its baseline, again"
            if criteria.metrics == (VALUE,) and criteria.scope in SCOPES_OF_ROWS
            else f"runs have scores of rows of {VALUE} in the scopes {' and '.join(SCOPES_OF_ROWS)} alone"
        )
        yield Notice(NOTE, f"a loss on one trial, table or detector can only be unclear: {reason}")
