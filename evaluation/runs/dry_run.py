"""What a run would take: its trials, those already done, and the time of the rest by what past runs took."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

from xadbench.evaluation.results import store
from xadbench.evaluation.results.record import ComponentFacts
from xadbench.evaluation.suite.expand import resolve
from xadbench.evaluation.suite.spec import Component, Suite
from xadbench.evaluation.suite.tables import KnownTable, n_values

from .jobs import Plan
from .run_tables import TableRequest, recorded, same

SIMILAR = 2.0  # tables are of similar size if neither has more than so many times the values of the other
Past = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class Estimate:
    """What is to be done: numbers of trials, and seconds on one worker for those that are not unknown.

    `infeasible`: of trials on tables that cannot be made, and that are not counted, the reasons and numbers.
    """

    n_trials: int
    n_done: int
    n_unknown: int
    seconds: float
    infeasible: dict[str, int] = field(default_factory=dict)

    def as_lines(self, run: Path, workers: int) -> Iterator[str]:
        """Yield it in words."""
        n_left = self.n_trials - self.n_done
        yield f"{self.n_trials} trials: {self.n_done} done in {run}, {n_left} left"
        known = n_left - self.n_unknown
        if known:
            time = timedelta(seconds=round(self.seconds / workers))
            yield f"time: about {time} for {known} of them on {workers} worker(s), by past records"
        if self.n_unknown:
            yield f"time: unknown for {self.n_unknown}, without a past record on a table of similar size"
        for reason, n in self.infeasible.items():
            yield f"beside them, {n} trials that will fail: {reason}"


def estimate(suite: Suite, run: Path) -> Estimate:
    """Return what running the suite in the folder `run` would take; writes nothing.

    The time of a trial is the median of those that the runs beside and in the folder recorded for the same
    detector and explainer on tables of similar size; likewise for fitting.

    Raises
    ------
    InputError
        If the suite, or a part that it names, is not usable.
    """
    past, planned = _past(run.parent), Plan(resolve(suite))
    n_done = n_unknown = 0
    seconds = 0.0
    infeasible: Counter[str] = Counter()
    for number, (request, requested) in enumerate(planned.tables):
        table = recorded(run, request)
        if isinstance(table, str):
            infeasible.update({table: sum(len(explainers) for _, explainers in requested)})
            continue
        done = set() if table is None else _done(run, planned, number, table)
        size = _size(request, table)
        for detector, explainers in requested:
            left = [one for one in explainers if (detector.label, one.label) not in done]
            n_done += len(explainers) - len(left)
            fitting = _like(past, size, detector, None)
            known = [time for one in left if (time := _like(past, size, detector, one)) is not None]
            if fitting is None:  # nothing is known of the detector: not how long the trials take in all
                n_unknown += len(left)
                continue
            n_unknown += len(left) - len(known)
            seconds += sum(known) + (fitting if left else 0.0)
    n_trials = planned.n_trials - sum(infeasible.values())
    return Estimate(n_trials, n_done, n_unknown, seconds, dict(infeasible))


def _done(run: Path, planned: Plan, number: int, table: KnownTable) -> set[tuple[str, str]]:
    """Return the labels, of detector and explainer, of the trials on a table that have a record."""
    return {
        (job.detector.label, one.label)
        for job in planned.jobs(number, table, partial(same, None))
        for key, one in job.trials
        if (record := store.read_trial(run, key)) is not None and record.is_finished
    }


def _size(request: TableRequest, table: KnownTable | None) -> int | None:
    """Return how many values a table has; None where only making it would tell."""
    if table is not None:
        return table.n_rows * table.n_features
    return n_values(request.spec)


def _past(runs: Path) -> Past:
    """Return sizes and times by detector and explainer, and by detector alone for fitting."""
    past: Past = defaultdict(list)
    for path in runs.glob("*/trials/*.json"):
        record = store.read_trial(path.parents[1], path.stem)
        if record is None or not record.is_finished:
            continue
        table, detector = record.table, record.detector
        if table.n_rows is None or table.n_features is None:
            continue
        size = table.n_rows * table.n_features
        time = record.seconds if record.elapsed_seconds is None else record.elapsed_seconds
        for explainer, took in ((record.explainer, time), (None, detector.fit_seconds)):
            if took is not None:
                past[_kind(detector, explainer)].append((size, took))
    return past


def _like(past: Past, size: int | None, detector: Component, explainer: Component | None) -> float | None:
    """Return the median time on tables of similar size, or of any where that is not known; None without."""
    records = past.get(_kind(detector, explainer), [])
    times = [took for other, took in records if size is None or size / SIMILAR <= other <= size * SIMILAR]
    return median(times) if times else None


def _kind(detector: Component | ComponentFacts, explainer: Component | ComponentFacts | None) -> str:
    """Return what records must share, as text: names and parameters, whatever their labels."""
    parts = [part and [part.name, part.params] for part in (detector, explainer)]
    return json.dumps(parts, sort_keys=True, default=str)
