"""A suite's jobs, each a detector to fit and the explainers for it, and the trials that they ask for."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

from xadbench.datasets.common.errors import Infeasible, check_all
from xadbench.evaluation.results.requested import Requested
from xadbench.evaluation.results.store import Record
from xadbench.evaluation.suite.expand import combinations_of_resolved, resolve
from xadbench.evaluation.suite.spec import Artifact, Component, Suite, TableSpec, load_suite
from xadbench.evaluation.suite.tables import KnownTable, Source, check_source
from xadbench.evaluation.trial.key import Identities, trial_keys
from xadbench.evaluation.trial.scopes import Measures

from .run_tables import TableRequest, Tables, same


@dataclass(frozen=True, eq=False)
class Job:
    """One detector on one table, and the explainers that are to explain it, each with its trial's key.

    `table` is what is known of the table, which `load` returns. `timeout` in seconds and `memory_limit` in
    bytes hold for each trial, and for fitting. `save`: what stays of a trial beside its record.
    """

    table: KnownTable
    load: Callable[[], Source]
    detector: Component
    trials: tuple[tuple[str, Component], ...]
    measures: Measures
    timeout: float | None = None
    memory_limit: int | None = None
    save: tuple[Artifact, ...] = ()

    @property
    def source(self) -> Source:
        """The table itself."""
        return self.load()

    @cached_property
    def identities(self) -> Identities:
        """What its components are, by now."""
        return Identities()

    @cached_property
    def explainers(self) -> dict[str, Component]:
        """The explainers by the keys of their trials."""
        return dict(self.trials)

    def since(self, n_done: int) -> "Job":
        """Return what is left behind the first `n_done` trials."""
        return replace(self, trials=self.trials[n_done:])


@dataclass(frozen=True, eq=False)
class InfeasibleTrials:
    """The trials of a detector on a table that cannot be made of a seed, and why it cannot."""

    table: TableSpec
    seed: int
    detector: Component
    explainers: tuple[Component, ...]
    reason: str


class Plan:
    """The trials of a suite, table by table, checked without making a table.

    Parameters
    ----------
    suite
        One that `resolve` returned.

    Raises
    ------
    InputError
        If a table, detector or explainer, or a parameter of one, is not usable.
    """

    def __init__(self, suite: Suite) -> None:
        self.suite, self._identities = suite, Identities()
        measures = partial(Measures, suite.metrics, suite.fill_value)
        by_table = itertools.groupby(combinations_of_resolved(suite), key=lambda one: one[:2])
        parts = [(table, [one[2:] for one in of_table]) for table, of_table in by_table]
        sources = dict.fromkeys(spec for (spec, _), _ in parts)
        check_all(
            [
                measures,
                *(
                    partial(check_source, one, [seed for (spec, seed), _ in parts if spec == one])
                    for one in sources
                ),
                *(
                    partial(self._identities.check, detector, explainers, seed)
                    for (_, seed), requested in parts
                    for detector, explainers in requested
                ),
            ]
        )
        self._measures = measures()
        self.tables = [(TableRequest.of(*table), requested) for table, requested in parts]

    @property
    def n_trials(self) -> int:
        """How many trials it has."""
        return sum(len(explainers) for _, requested in self.tables for _, explainers in requested)

    def jobs(self, number: int, table: KnownTable, load: Callable[[], Source]) -> Iterator[Job]:
        """Yield the jobs of the table of that number."""
        settings = self.suite.timeout, self.suite.memory_limit, self.suite.save
        for detector, explainers in self.tables[number][1]:
            keys = trial_keys(table, detector, explainers, self._measures, self._identities)
            keyed = tuple(zip(keys, explainers, strict=True))
            yield Job(table, load, detector, keyed, self._measures, *settings)

    def infeasible(self, number: int, reason: str) -> Iterator[InfeasibleTrials]:
        """Yield the trials on the table of that number, which cannot be made."""
        request, requested = self.tables[number]
        for detector, explainers in requested:
            yield InfeasibleTrials(request.spec, request.seed, detector, explainers, reason)


def load_checked(name: str) -> Suite:
    """Return a suite by its shipped name or file; of a faulty file, one error says all that is wrong."""
    return load_suite(name, lambda suite: Plan(resolve(suite)))


def plan(suite: Suite, on_infeasible: Callable[[InfeasibleTrials], object] | None = None) -> list[Job]:
    """Return the jobs of a suite that `resolve` returned, in order, with every table made.

    A table whose recipe sets a goal that is out of reach of a seed is no bad input: it has no jobs, and
    `on_infeasible` is called with each of its detectors. Without that, it raises too.
    """
    planned, tables, jobs = Plan(suite), Tables(), list[Job]()
    for number, (request, _) in enumerate(planned.tables):
        try:
            source = tables.source(request)
        except Infeasible as error:
            if on_infeasible is None:
                raise
            for one in planned.infeasible(number, str(error)):
                on_infeasible(one)
            continue
        jobs.extend(planned.jobs(number, source.known, partial(same, source)))
    return jobs


def requested_of(jobs: Iterable[Job], infeasible: Iterable[Record]) -> Iterator[Requested]:
    """Yield the trials of jobs, and those of records of trials that have none."""
    for job in jobs:
        table = job.table.label, job.table.origin, job.table.seed
        yield from ((key, *table, job.detector.label, one.label) for key, one in job.trials)
    for record in infeasible:
        label, seed, detector, explainer = record.identity
        yield record.key, label, record.table.origin or label, seed, detector, explainer
