"""What a run would take: its trials, those already done, and about how long the rest lasts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from xadbench.evaluation.results import store
from xadbench.evaluation.suite.expand import resolve
from xadbench.evaluation.suite.spec import Suite
from xadbench.evaluation.suite.tables import KnownTable, n_values

from .execution import UnderWay
from .jobs import Plan
from .run_tables import TableRequest, recorded, same
from .timings import Timings, Work, in_hours, step


@dataclass(frozen=True)
class Estimate:
    """What is to be done.

    Attributes
    ----------
    n_trials, n_done
        Numbers of trials: all on tables that can be made, and those with a record.
    work
        Seconds, on one worker, of each fit and trial that is left.
    n_recorded
        How many of the trials left are estimated by past records; the others by shipped timings.
    infeasible
        Of trials on tables that cannot be made, and that are not counted, the reasons and numbers.
    """

    n_trials: int
    n_done: int
    work: Work = field(default_factory=dict)
    n_recorded: int = 0
    infeasible: dict[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long the rest takes on one worker."""
        return sum(self.work.values())

    def as_lines(self, run: Path, workers: int, *, is_verbose: bool = False) -> Iterator[str]:
        """Yield it in words: what would run, with its time, and all in all."""
        for job, trials in self._jobs().items():
            fit = "" if job not in self.work else f"fit {_time(self.work[job])}, "
            took = sum(self.work[trial] for trial in trials)
            yield f"{job.table} / {job.detector}, seed {job.seed}: {fit}{len(trials)} trials {_time(took)}"
            for trial in trials if is_verbose else ():
                yield f"  {trial.explainer}: {_time(self.work[trial])}"
        n_left = self.n_trials - self.n_done
        yield f"{self.n_trials} trials: {self.n_done} done in {run}, {n_left} left"
        if n_left:
            n_shipped = n_left - self.n_recorded
            yield (
                f"time: about {_time(self.seconds / workers)} on {workers} worker(s), by past records for "
                f"{self.n_recorded} trials and by shipped timings, scaled to this machine, for {n_shipped}"
            )
        for reason, n in self.infeasible.items():
            yield f"beside them, {n} trials that will fail: {reason}"

    def _jobs(self) -> dict[UnderWay, list[UnderWay]]:
        """Return the trials left by their fit."""
        jobs: dict[UnderWay, list[UnderWay]] = {}
        for one in self.work:
            trials = jobs.setdefault(one._replace(explainer=None), [])
            trials += [one] if one.explainer is not None else []
        return jobs


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return in_hours(seconds)


def estimate(suite: Suite, run: Path) -> Estimate:
    """Return what running the suite in the folder `run` would take; writes nothing.

    See `Timings` for how long a fit or trial takes: by the runs beside and in the folder, or else by shipped
    figures.

    Raises
    ------
    InputError
        If the suite, or a part that it names, is not usable.
    """
    timings, planned = Timings(run.parent), Plan(resolve(suite))
    n_done = n_recorded = 0
    work: Work = {}
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
            for one in (None, *left) if left else ():
                work[step(request.spec, request.seed, detector, one)] = timings.seconds(size, detector, one)
                n_recorded += one is not None and timings.is_recorded(size, detector, one)
    n_trials = planned.n_trials - sum(infeasible.values())
    return Estimate(n_trials, n_done, work, n_recorded, dict(infeasible))


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
