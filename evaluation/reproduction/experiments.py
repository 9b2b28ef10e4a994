"""The experiments that `xadbench reproduce` knows, and how one is run."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from xadbench.datasets.common.errors import find
from xadbench.evaluation.results import store
from xadbench.evaluation.results.store import Record
from xadbench.evaluation.runs.progress import RunProgress
from xadbench.evaluation.runs.runner import run_suite
from xadbench.evaluation.runs.timings import Timings

from .detection_experiments import DETECTION
from .experiment import Choice, Experiment
from .explanation_experiments import EXPLANATIONS

EXPERIMENTS: dict[str, Experiment] = {**DETECTION, **EXPLANATIONS}


def reproduce(
    name: str, choice: Choice, folder: Path, console: Console, progress_console: Console
) -> list[Record]:
    """Run the chosen part of an experiment, or go on where that was stopped, and view its records.

    Parameters
    ----------
    name
        A key of `EXPERIMENTS`.
    choice
        Which part of it.
    folder
        The run is `folder/name`; tables and figures are written into `folder`. Trials that the run of another
        experiment in `folder` has finished are not repeated.
    console
        Where tables are printed.
    progress_console
        Where progress is shown, and what is left out is named.

    Returns
    -------
    list of dict
        The records of the trials, as `run_suite` returns them.

    Raises
    ------
    InputError
        If a name is unknown, or none of the data sets is there.
    """
    experiment = find("experiment", name, EXPERIMENTS)
    suite = experiment.suite(choice, progress_console)
    with RunProgress(Timings().work_of(suite), progress_console) as progress:
        records = run_suite(
            suite,
            folder / name,
            progress.advance,
            progress.show,
            workers=choice.workers,
            known=_finished_in_others(folder, name),
        )
    experiment.view(records, folder, console)
    return records


def _finished_in_others(folder: Path, name: str) -> Iterator[Record]:
    """Yield the finished records of the other experiments' runs."""
    for other in EXPERIMENTS.keys() - {name}:
        yield from (record for record in store.read_records(folder / other) if record.is_finished)
