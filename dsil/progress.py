"""Progress of a training: a bar on a terminal, plain lines elsewhere."""

from typing import Self

from rich import progress
from rich.console import Console

N_LINES = 10


class EpochProgress:
    """Shows the epochs of a training, if `verbose`, as they end; a context manager."""

    def __init__(self, n_epochs: int, *, verbose: bool, console: Console | None = None) -> None:
        self.n_epochs = n_epochs
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
        self.task = self.bar.add_task("training", total=n_epochs)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def advance(self, epoch: int, loss: float) -> None:
        """Show that an epoch, counted from 1, has ended with this mean loss."""
        self.bar.update(self.task, completed=epoch, description=f"loss {loss:.4g}")
        if not self.console.is_terminal and self._has_line(epoch):
            line = f"epoch {epoch}/{self.n_epochs}: loss {loss:.4g}"
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _has_line(self, epoch: int) -> bool:
        return epoch * N_LINES // self.n_epochs > (epoch - 1) * N_LINES // self.n_epochs
