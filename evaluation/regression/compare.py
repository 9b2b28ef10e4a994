"""Compares two runs, and says whether the new one passes."""

from dataclasses import dataclass
from pathlib import Path

from xadbench.evaluation.results.stored_runs import BASELINES, Run, read_run

from .pairing import NOTE, Notice, pair
from .verdict import Comparison, Terms, judge

FAILURES = "new-failures"


@dataclass(frozen=True)
class Gate:
    """The gate's answer: the comparisons, and what is to be known of the pairs.

    Where something refuses a comparison, there is none.
    """

    base: str
    new: str
    terms: Terms
    comparisons: tuple[Comparison, ...]
    notices: tuple[Notice, ...]

    @property
    def refusals(self) -> list[Notice]:
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
        return not (self.refusals or self.failures or self.worse)

    @property
    def _not_allowed(self) -> list[Notice]:
        return [one for one in self.notices if one.kind not in {NOTE, *self.terms.allowed}]


def compare(base: str | Run, new: str | Run, terms: Terms | None = None, baselines: Path = BASELINES) -> Gate:
    """Compare two runs, trial by trial.

    Parameters
    ----------
    base, new
        Runs, or where to read them: see `read_run`.
    terms
        What the gate demands; default: as `Terms` has it.
    baselines
        The folder of named baselines.

    Raises
    ------
    InputError
        If a run cannot be read, or the two have no value in common.
    """
    terms = terms or Terms()
    ours, theirs = (run if isinstance(run, Run) else read_run(run, baselines) for run in (base, new))
    pairs = pair(ours, theirs, terms.metrics, terms.scope, time=terms.time_tolerance is not None)
    gate = Gate(ours.name, theirs.name, terms, (), pairs.notices)
    if gate.refusals:
        return gate
    return Gate(ours.name, theirs.name, terms, tuple(judge(pairs, terms)), pairs.notices)
