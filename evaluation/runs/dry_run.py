"""What a run would take: its trials, those already done, and the time of the rest by what past runs took."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from xadbench.evaluation.results import store
from xadbench.evaluation.suite.expand import resolve
from xadbench.evaluation.suite.spec import Suite

from .jobs import Job, plan

SIMILAR = 2.0  # tables are of similar size if neither has more than so many times the values of the other
Past = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class Estimate:
    """What is to be done: numbers of trials, and seconds on one worker for those that are not unknown.

    `unmade`: of trials on tables that cannot be made, and that are not counted, the reasons and numbers.
    """

    n_trials: int
    n_done: int
    n_unknown: int
    seconds: float
    unmade: dict[str, int] = field(default_factory=dict)

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
        for reason, n in self.unmade.items():
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
    past = _past(run.parent)
    n_trials = n_done = n_unknown = 0
    seconds = 0.0
    unmade: Counter[str] = Counter()
    for job in plan(resolve(suite), lambda one: unmade.update({one.reason: len(one.explainers)})):
        left = [trial for trial in job.trials if not store.is_finished(store.read_trial(run, trial[0]))]
        n_trials, n_done = n_trials + len(job.trials), n_done + len(job.trials) - len(left)
        known = [time for _, one in left if (time := _like(past, job, one.model_dump())) is not None]
        fitting = _like(past, job, None)
        if fitting is None:  # nothing is known of the detector: not how long the trials take in all
            n_unknown += len(left)
            continue
        n_unknown += len(left) - len(known)
        seconds += sum(known) + (fitting if left else 0.0)
    return Estimate(n_trials, n_done, n_unknown, seconds, dict(unmade))


def _past(runs: Path) -> Past:
    """Return sizes and times by detector and explainer, and by detector alone for fitting."""
    past: Past = defaultdict(list)
    for path in runs.glob("*/trials/*.json"):
        record = store.read_trial(path.parents[1], path.stem)
        if record is None or not store.is_finished(record):
            continue
        table, detector = record["table"], record["detector"]
        size = table["n_rows"] * table["n_features"]
        time = record.get("elapsed_seconds", record.get("seconds"))  # the latter in older records
        for explainer, took in ((record["explainer"], time), (None, detector.get("fit_seconds"))):
            if took is not None:
                past[_kind(detector, explainer)].append((size, took))
    return past


def _like(past: Past, job: Job, explainer: dict[str, Any] | None) -> float | None:
    """Return the median time on tables of similar size; None where there is none."""
    size = job.source.table.X.size
    records = past.get(_kind(job.detector.model_dump(), explainer), [])
    times = [took for other, took in records if size / SIMILAR <= other <= size * SIMILAR]
    return median(times) if times else None


def _kind(detector: dict[str, Any], explainer: dict[str, Any] | None) -> str:
    """Return what records must share, as text: names and parameters, whatever their labels."""
    parts = [part and [part["name"], part["params"]] for part in (detector, explainer)]
    return json.dumps(parts, sort_keys=True, default=str)
