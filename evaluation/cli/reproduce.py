"""`xadbench reproduce`: the experiments of the paper."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from xadbench.evaluation.reproduction import experiments
from xadbench.evaluation.reproduction.experiment import SEEDS, Choice

from .ending import TRIALS_FAILED
from .options import Out, completing, split_commas, whole_number
from .verbosity import progress_console

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench reproduce table1 --datasets WBC --methods gaussian --seeds 0")
def reproduce(  # noqa: PLR0917  # an option each
    experiment: Annotated[
        str,
        typer.Argument(
            help="An experiment of the paper, see xadbench list experiments.",
            autocompletion=completing(lambda: experiments.EXPERIMENTS),
        ),
    ],
    datasets: Annotated[
        list[str] | None, typer.Option(help="ADBench data sets. Give several as a,b or repeat the option.")
    ] = None,
    methods: Annotated[list[str] | None, typer.Option(help="Methods of the paper, or detectors.")] = None,
    seeds: Annotated[list[str] | None, typer.Option(help="Seeds, by default 0,1,2,3,4.")] = None,
    smallest: Annotated[
        int | None, typer.Option(min=1, help="Use only this many data sets, the smallest files first.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that train detectors.")] = 1,
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Time limit in seconds of each trial and each fit.")
    ] = None,
    out: Out = None,
) -> None:
    """Run or resume an experiment of the paper. Default folder: reproduced/."""
    chosen = Choice(
        split_commas(datasets),
        split_commas(methods),
        list(dict.fromkeys(whole_number("seed", seed) for seed in split_commas(seeds))) or SEEDS,
        smallest,
        workers,
        timeout,
    )
    records = experiments.reproduce(
        experiment, chosen, out or Path("reproduced"), Console(), progress_console()
    )
    if not all(record.is_finished for record in records):
        raise typer.Exit(TRIALS_FAILED)
