"""Progress of a run: a live table on a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from xadbench.datasets.common.rendering import plain
from xadbench.evaluation.results.store import Record

from .execution import UnderWay
from .timings import in_hours

MOST_SHOWN = 12  # of the trials under way; a cluster has more than a terminal has lines


class RunProgress:
    """Shows how far a run is, and each trial as it ends; a context manager.

    Parameters
    ----------
    work
        About how many seconds each fit and trial of the run takes, on one worker.
    console
        Where to.
    is_verbose
        Whether a terminal gets a line a trial too, and each line what took how long and why it failed.
    """

    def __init__(self, work: Mapping[UnderWay, float], console: Console, *, is_verbose: bool = False) -> None:
        self.work_left, self.work_done = dict(work), 0.0
        self.trials_left = Counter(_fit(one) for one in work if one.explainer is not None)
        self.n_trials = self.trials_left.total()
        self.n_done = self.n_failed = 0
        self.console, self.is_verbose = console, is_verbose
        self.running: dict[UnderWay, float] = {}  # since when
        self.started = self.worked = time.monotonic()
        self.live = Live(get_renderable=self._screen, console=console, transient=True, refresh_per_second=2)

    def __enter__(self) -> Self:
        self.started = self.worked = time.monotonic()
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.stop()

    def advance(self, record: Record, is_new: bool) -> None:  # noqa: FBT001  # the runner's callback
        """Count one trial; `is_new` tells whether it was computed now or read from an earlier run."""
        self.count(record, is_new=is_new)
        if self.console.is_terminal and not self.is_verbose:
            return
        how = record.status if is_new else f"{record.status}, from an earlier run"
        line = f"[{self.n_done}/{self.n_trials}] {_trial(record)}: {how}"
        with suppress(OSError, ValueError):  # nobody reads it any more, or it was closed: the run goes on
            for text in (line, *(_details(record) if self.is_verbose and is_new else ())):
                self.console.print(plain(text), soft_wrap=True)

    def count(self, record: Record, *, is_new: bool) -> None:
        """Count one trial without a word."""
        self.n_done += 1
        self.n_failed += not record.is_finished
        trial = _trial(record)
        fit = _fit(trial)
        self.trials_left[fit] -= 1
        took = self.work_left.pop(trial, 0.0)
        if is_new or self.trials_left[fit] <= 0:  # its detector is fitted by now, or need not be
            took += self.work_left.pop(fit, 0.0)
        self.work_done += took if is_new else 0.0

    def show(self, running: Sequence[UnderWay]) -> None:
        """Take note of the trials under way now."""
        now = time.monotonic()
        if not self.work_done and not self.running:
            self.worked = now  # tables are made by now
        for one in running:
            if one.explainer is not None:  # its detector is fitted
                self.work_done += self.work_left.pop(_fit(one), 0.0)
        self.running = {trial: self.running.get(trial, now) for trial in running}

    def _screen(self) -> Group:
        now = time.monotonic()
        counts = {
            "done": f"{self.n_done} of {self.n_trials}",
            "running": str(len(self.running)),
            "failed": str(self.n_failed),
            "time": in_hours(now - self.started),
            "left": self._left(now),
        }
        head = Table(*counts, box=None, pad_edge=False)
        head.add_row(*counts.values())
        current = Table("under way", "for", box=None, pad_edge=False)
        for trial, since in list(self.running.items())[:MOST_SHOWN]:
            current.add_row(plain(str(trial)), in_hours(now - since))
        if len(self.running) > MOST_SHOWN:
            current.add_row(f"and {len(self.running) - MOST_SHOWN} more", "")
        bar = Table.grid()  # of its own, since a bar does not end its line
        bar.add_row(ProgressBar(self.n_trials, self.n_done, width=40))
        return Group(head, bar, *([current] if self.running else []))

    def _left(self, now: float) -> str:
        """Return the time that the rest takes if work goes on as fast as it did."""
        begun = sum(min(now - since, self.work_left.get(one, 0.0)) for one, since in self.running.items())
        done, elapsed = self.work_done + begun, now - self.worked
        speed = done / elapsed if done and elapsed else 1.0
        return f"about {in_hours((sum(self.work_left.values()) - begun) / speed)}"


def _trial(record: Record) -> UnderWay:
    return UnderWay(record.table.label, record.detector.label, record.explainer.label, record.seed)


def _fit(trial: UnderWay) -> UnderWay:
    return trial._replace(explainer=None)


def _details(record: Record) -> Iterator[str]:
    """Yield what took how long, and how a trial failed: its reason, and where that was raised."""
    times = {"fit": record.detector.fit_seconds, "trial": record.elapsed_seconds}
    if known := [f"{what} {took:.2f} s" for what, took in times.items() if took is not None]:
        yield f"    {', '.join(known)}"
    if record.reason:
        yield f"    {record.reason}"
    places = [line for line in (record.traceback or "").splitlines() if line.startswith("  File ")]
    if places:
        yield f"    {places[-1].strip()}"
