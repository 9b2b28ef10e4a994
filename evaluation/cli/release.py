"""`xadbench release`: published tables, built and verified."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from xadbench import generator
from xadbench.evaluation.audit import recipes as audits
from xadbench.evaluation.leaks.controls import check_leaks
from xadbench.generator.releases.build import build as make
from xadbench.generator.releases.verify import verify as compare

from .ending import DIFFERS, differing_where_truth_leaks
from .options import Force, Out, completing
from .replacing import RELEASE, replaceable
from .verbosity import note

app = typer.Typer(
    rich_markup_mode=None,
    help="Build or verify a published release.",
    epilog="Example: xadbench release verify releases/mini",
)


@app.command(epilog="Example: xadbench release build mini --out releases/mini --no-audit")
@differing_where_truth_leaks()
def build(
    release: Annotated[
        str,
        typer.Argument(
            help="A shipped release, or the path of a .yaml file.",
            autocompletion=completing(generator.release_names),
        ),
    ],
    out: Out = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make tables.")] = 1,
    *,
    audit: Annotated[bool, typer.Option(help="Include an audit of each recipe in the datasheet.")] = True,
    force: Force = False,
) -> None:
    """Build a release, or resume an interrupted build. Default folder: releases/NAME-VERSION.

    It needs mlcroissant: pip install 'xadbench[release]'. It ends with exit code 1 and without a manifest if
    the ground truth of a table leaks.
    """
    loaded = generator.load_release(release)
    folder = out or Path("releases") / f"{loaded.name}-{loaded.version}"
    audit_text = audits.as_text if audit else None
    with replaceable(folder, RELEASE, is_forced=True) if force else nullcontext():
        make(loaded, folder, on_table=note, workers=workers, audit=audit_text, check=check_leaks)
    typer.echo(f"{folder}: {loaded.n_tables} tables")


@app.command(epilog="Example: xadbench release verify releases/mini --sample 1")
def verify(
    folder: Annotated[Path, typer.Argument(help="The folder of a built release.")],
    sample: Annotated[int | None, typer.Option(min=1, help="Generate only this many tables again.")] = None,
) -> None:
    """Check the files of a release and generate its tables again. Exit code 1: something differs."""
    differences = compare(folder, sample, on_table=lambda remade: note(f"remade: {remade}"))
    for difference in differences:
        typer.echo(str(difference))
    if differences:
        raise typer.Exit(DIFFERS)
    typer.echo(f"{folder}: every file and every table remade is as published")
