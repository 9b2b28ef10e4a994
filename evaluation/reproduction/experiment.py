"""What an experiment of the paper is: a suite, how to choose a part of it, and a view of its records."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from xadbench.evaluation.results import store
from xadbench.evaluation.results.store import Record
from xadbench.evaluation.runs.progress import RunProgress
from xadbench.evaluation.runs.runner import run_suite
from xadbench.evaluation.suite.expand import n_trials
from xadbench.evaluation.suite.spec import Suite

SEEDS = (0, 1, 2, 3, 4)
View = Callable[[Sequence[Record], Path, Console], None]


@dataclass(frozen=True)
class Choice:
    """What to run of an experiment: where empty or None, all of it; `smallest`: so many data sets."""

    datasets: Sequence[str] = ()
    methods: Sequence[str] = ()
    seeds: Sequence[int] = SEEDS
    smallest: int | None = None
    workers: int = 1


@dataclass(frozen=True)
class Experiment:
    """A suite of the paper, and what is shown of its records.

    Attributes
    ----------
    description
        One line.
    suite
        Returns the whole suite.
    part
        Returns what is chosen of the suite, without the tables whose data are not there, which are named on
        the console. Raises `InputError` for an unknown name, or if nothing is left.
    view
        Prints the records, and writes tables and figures into a folder.
    """

    description: str
    suite: Callable[[], Suite]
    part: Callable[[Suite, Choice, Console], Suite]
    view: View


def run_experiment(
    name: str, experiment: Experiment, choice: Choice, folder: Path, console: Console
) -> list[Record]:
    """Run the chosen part of an experiment in `folder/name`, and view its records in `folder`.

    Trials that another run in `folder` has finished are not repeated.
    """
    suite = experiment.part(experiment.suite(), choice, console)
    with RunProgress(n_trials(suite), console) as progress:
        records = run_suite(
            suite,
            folder / name,
            progress.advance,
            progress.show,
            workers=choice.workers,
            known=_finished_beside(folder, name),
        )
    experiment.view(records, folder, console)
    return records


def _finished_beside(folder: Path, name: str) -> Iterator[Record]:
    """Yield the finished records of the other experiments' runs."""
    for about in sorted(folder.glob("*/run.json")):
        if about.parent.name != name:
            yield from filter(store.is_finished, store.read_records(about.parent))


def say_absent(absent: Sequence[str], reason: str, console: Console) -> None:
    """Name the tables whose data are not there."""
    if absent:
        line = f"Absent, left out: {', '.join(absent)} ({reason})"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
