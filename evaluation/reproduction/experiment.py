"""What an experiment of the paper is: a suite, of which a part can be chosen, and a view of its records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from xadbench.evaluation.results.store import Record
from xadbench.evaluation.suite.spec import Suite

SEEDS = (0, 1, 2, 3, 4)
View = Callable[[Sequence[Record], Path, Console], None]


@dataclass(frozen=True)
class Choice:
    """What to run of an experiment, and how.

    Where `datasets` or `methods` is empty, all of them; with `smallest`, so many data sets. `timeout` is that
    of `Suite`, in seconds.
    """

    datasets: Sequence[str] = ()
    methods: Sequence[str] = ()
    seeds: Sequence[int] = SEEDS
    smallest: int | None = None
    workers: int = 1
    timeout: float | None = None


@dataclass(frozen=True)
class Experiment:
    """A suite of the paper, and what is shown of its records.

    Attributes
    ----------
    description
        One line.
    suite
        Returns the suite of what is chosen, without the tables whose data are not there, which are named on
        the console. Raises `InputError` for an unknown name, or if nothing is left.
    view
        Prints the records, and writes tables and figures into a folder.
    """

    description: str
    suite: Callable[[Choice, Console], Suite]
    view: View


def say_absent(absent: Sequence[str], reason: str, console: Console) -> None:
    """Name the tables whose data are not there."""
    if absent:
        line = f"Absent, left out: {', '.join(absent)} ({reason})"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
