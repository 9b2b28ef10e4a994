"""Progress of a run: a bar on a terminal, plain lines elsewhere."""

from typing import Self

from rich import progress
from rich.console import Console

from xadbench.evaluation.store import Record


class RunProgress:
    """Shows each trial as it ends; a context manager."""

    def __init__(self, n_trials: int, console: Console) -> None:
        self.n_trials = n_trials
        self.n_done = 0
        self.console = console
        self.bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self.task = self.bar.add_task("preparing tables", total=n_trials)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def advance(self, record: Record, is_new: bool) -> None:  # noqa: FBT001  # the runner's callback
        """Count one trial; `is_new` tells whether it was computed now or read from an earlier run."""
        parts = (record["table"]["label"], record["detector"]["label"], record["explainer"]["label"])
        self._count(" / ".join(parts), record, is_new=is_new)

    def advance_cell(self, record: Record, is_new: bool) -> None:  # noqa: FBT001  # as above
        """Count one cell of the paper's grid, in the same way."""
        self._count(f"{record['dataset']} / {record['method']}", record, is_new=is_new)

    def _count(self, name: str, record: Record, *, is_new: bool) -> None:
        self.n_done += 1
        what = f"{name}, seed {record['seed']}"
        self.bar.update(self.task, advance=1, description=what)
        if not self.console.is_terminal:
            how = record["status"] if is_new else f"{record['status']}, from an earlier run"
            self.console.print(f"[{self.n_done}/{self.n_trials}] {what}: {how}", markup=False, soft_wrap=True)
