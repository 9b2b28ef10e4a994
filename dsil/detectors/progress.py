"""Progress of a fit: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Self

from rich import progress
from rich.console import Console

N_LINES = 20
PATIENCE = 2.0  # seconds of a fit that nobody asked to report
_IS_SILENT = ContextVar("fits are silent", default=False)


@contextmanager
def silent_fits() -> Iterator[None]:
    """Show no fit inside but those that are told to: where something else shows the progress."""
    token = _IS_SILENT.set(True)
    try:
        yield
    finally:
        _IS_SILENT.reset(token)


class FitProgress:
    """Shows the steps of a fit as they end; a context manager.

    Parameters
    ----------
    step
        What a step is called, such as "epoch".
    n_steps
        How many there will be. Without a terminal, at most 20 of them get a line.
    verbose
        Whether to show anything. None: a bar on a terminal, if the fit takes longer than PATIENCE, and not
        within `silent_fits`.
    console
        Where; default: the standard output.
    """

    def __init__(
        self, step: str, n_steps: int, *, verbose: bool | None, console: Console | None = None
    ) -> None:
        self.step = step
        self.n_steps = n_steps
        self.console = console or Console(quiet=verbose is False)
        self.has_lines = bool(verbose) and not self.console.is_terminal
        self.starts_at = time.monotonic() + (PATIENCE if verbose is None else 0)
        has_bar = not _IS_SILENT.get() if verbose is None else verbose
        self.bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            console=self.console,
            disable=not (has_bar and self.console.is_terminal),
            transient=True,
        )
        self.task = self.bar.add_task(step, total=n_steps)

    def __enter__(self) -> Self:
        self._start_in_time()
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar.live.is_started:  # else it prints an empty line
            self.bar.stop()

    def advance(self, number: int, **values: float) -> None:
        """Show that a step, counted from 1, has ended with these values; NaN is left out."""
        # NaN is what differs from itself.
        known = ", ".join(f"{name} {value:.4g}" for name, value in values.items() if value == value)  # noqa: PLR0124
        self._start_in_time()
        self.bar.update(self.task, completed=number, description=f"{self.step}s: {known}")
        if self.has_lines and self._has_line(number):
            line = f"{self.step} {number}/{self.n_steps}: {known}"
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _start_in_time(self) -> None:
        if not self.bar.live.is_started and time.monotonic() >= self.starts_at:
            self.bar.start()

    def _has_line(self, number: int) -> bool:
        return number * N_LINES // self.n_steps > (number - 1) * N_LINES // self.n_steps
