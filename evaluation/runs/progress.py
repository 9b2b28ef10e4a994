"""Progress of a run: a live table on a terminal, plain lines elsewhere."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from xadbench.datasets.common.rendering import plain
from xadbench.evaluation.results.frame import title
from xadbench.evaluation.results.store import Record

from .execution import UnderWay

MOST_SHOWN = 12  # of the trials under way; a cluster has more than a terminal has lines


class RunProgress:
    """Shows how far a run is, and each trial as it ends; a context manager."""

    def __init__(self, n_trials: int, console: Console) -> None:
        self.n_trials = n_trials
        self.n_done = self.n_new = self.n_failed = 0
        self.console = console
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
        self.n_done += 1
        self.n_new += is_new
        self.n_failed += not record.is_finished
        if not self.console.is_terminal:
            how = record.status if is_new else f"{record.status}, from an earlier run"
            line = f"[{self.n_done}/{self.n_trials}] {title(record.identity)}: {how}"
            self.console.print(plain(line), soft_wrap=True)

    def show(self, running: Sequence[UnderWay]) -> None:
        """Take note of the trials under way now."""
        now = time.monotonic()
        if not self.n_new and not self.running:
            self.worked = now  # tables are made by now
        self.running = {trial: self.running.get(trial, now) for trial in running}

    def skip(self) -> None:
        """Count one trial without a word."""
        self.n_done += 1

    def _screen(self) -> Group:
        now = time.monotonic()
        counts = {
            "done": f"{self.n_done} of {self.n_trials}",
            "running": str(len(self.running)),
            "failed": str(self.n_failed),
            "time": _seconds(now - self.started),
            "left": self._left(now),
        }
        head = Table(*counts, box=None, pad_edge=False)
        head.add_row(*counts.values())
        current = Table("under way", "for", box=None, pad_edge=False)
        for trial, since in list(self.running.items())[:MOST_SHOWN]:
            current.add_row(plain(str(trial)), _seconds(now - since))
        if len(self.running) > MOST_SHOWN:
            current.add_row(f"and {len(self.running) - MOST_SHOWN} more", "")
        bar = Table.grid()  # of its own, since a bar does not end its line
        bar.add_row(ProgressBar(self.n_trials, self.n_done, width=40))
        return Group(head, bar, *([current] if self.running else []))

    def _left(self, now: float) -> str:
        """Return the time that the rest takes if it goes on as the new trials did."""
        if not self.n_new:
            return "unknown"
        return f"about {_seconds((self.n_trials - self.n_done) * (now - self.worked) / self.n_new)}"


def _seconds(duration: float) -> str:
    return str(timedelta(seconds=round(duration)))
