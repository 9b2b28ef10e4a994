"""Progress of a fit: a bar on a terminal, plain lines elsewhere."""

from typing import Self

from rich import progress
from rich.console import Console

N_LINES = 20


class FitProgress:
    """Shows the steps of a fit as they end, if `verbose`; a context manager.

    Parameters
    ----------
    step
        What a step is called, such as "epoch".
    n_steps
        How many there will be. Without a terminal, at most 20 of them get a line.
    verbose
        Whether to show anything.
    console
        Where; default: the standard output.
    """

    def __init__(self, step: str, n_steps: int, *, verbose: bool, console: Console | None = None) -> None:
        self.step = step
        self.n_steps = n_steps
        self.console = console or Console(quiet=not verbose)
        self.bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            console=self.console,
            disable=not (verbose and self.console.is_terminal),
            transient=True,
        )
        self.task = self.bar.add_task(step, total=n_steps)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def advance(self, number: int, **values: float) -> None:
        """Show that a step, counted from 1, has ended with these values; NaN is left out."""
        # NaN is what differs from itself.
        known = ", ".join(f"{name} {value:.4g}" for name, value in values.items() if value == value)  # noqa: PLR0124
        self.bar.update(self.task, completed=number, description=f"{self.step}s: {known}")
        if not self.console.is_terminal and self._has_line(number):
            line = f"{self.step} {number}/{self.n_steps}: {known}"
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _has_line(self, number: int) -> bool:
        return number * N_LINES // self.n_steps > (number - 1) * N_LINES // self.n_steps
