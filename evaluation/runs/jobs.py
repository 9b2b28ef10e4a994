"""A suite's jobs, each a detector to fit and the explainers for it, and the trials that they ask for."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from xadbench.datasets.common.errors import Unattainable
from xadbench.evaluation.results.requested import Asked
from xadbench.evaluation.results.store import Record
from xadbench.evaluation.suite.expand import combinations_of_resolved
from xadbench.evaluation.suite.spec import Component, Kept, Suite, TableSpec
from xadbench.evaluation.suite.tables import Source, load_source
from xadbench.evaluation.trial.key import Identities, trial_keys
from xadbench.evaluation.trial.scopes import Measures


@dataclass(frozen=True, eq=False)
class Job:
    """One detector on one table, and the explainers that are to explain it, each with its trial's key.

    `timeout` in seconds and `memory_limit` in bytes hold for each trial, and for fitting. `keep`: what
    stays of a trial beside its record.
    """

    source: Source
    detector: Component
    trials: tuple[tuple[str, Component], ...]
    measures: Measures
    timeout: float | None = None
    memory_limit: int | None = None
    keep: tuple[Kept, ...] = ()

    @cached_property
    def explainers(self) -> dict[str, Component]:
        """The explainers by the keys of their trials."""
        return dict(self.trials)

    def since(self, n_done: int) -> "Job":
        """Return what is left behind the first `n_done` trials."""
        return replace(self, trials=self.trials[n_done:])


@dataclass(frozen=True, eq=False)
class Unmade:
    """The trials of a detector on a table that cannot be made of a seed, and why it cannot."""

    table: TableSpec
    seed: int
    detector: Component
    explainers: tuple[Component, ...]
    reason: str


def plan(suite: Suite, on_unmade: Callable[[Unmade], object] | None = None) -> list[Job]:
    """Return the jobs of a suite that `resolve` returned, in order.

    Every table is made or loaded, so that bad input is found at once.

    A table whose recipe sets a goal that is out of reach of a seed is no bad input: it has no jobs, and
    `on_unmade` is called with each of its detectors. Without that, it raises too.
    """
    measures = Measures(suite.metrics, suite.baseline)
    identities = Identities()
    by_table = itertools.groupby(combinations_of_resolved(suite), key=lambda combination: combination[:2])
    jobs = []
    for (spec, seed), of_table in by_table:
        try:
            source = load_source(spec, seed)
        except Unattainable as error:
            if on_unmade is None:
                raise
            for *_, detector, explainers in of_table:
                on_unmade(Unmade(spec, seed, detector, explainers, str(error)))
            continue
        for *_, detector, explainers in of_table:
            keyed = tuple(
                zip(trial_keys(source, detector, explainers, measures, identities), explainers, strict=True)
            )
            jobs.append(Job(source, detector, keyed, measures, *_settings(suite)))
    return jobs


def _settings(suite: Suite) -> tuple[float | None, int | None, tuple[Kept, ...]]:
    return suite.timeout, suite.memory_limit, suite.keep


def asked_of(jobs: Iterable[Job], unmade: Iterable[Record]) -> Iterator[Asked]:
    """Yield the trials of jobs, and those of records of trials that have none."""
    for job in jobs:
        source, detector = job.source, job.detector.label
        table = source.label, source.origin, source.seed
        yield from ((key, *table, detector, one.label) for key, one in job.trials)
    for record in unmade:
        table, detector, explainer = (record[part]["label"] for part in ("table", "detector", "explainer"))
        yield record["key"], table, record["table"]["origin"], record["seed"], detector, explainer
