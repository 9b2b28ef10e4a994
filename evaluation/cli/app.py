"""The command line: a module of this folder a command, imported when it is called."""

import atexit
import gc
import sys
from contextvars import ContextVar
from typing import Annotated

import typer

from xadbench.datasets.common.errors import InputError
from xadbench.interrupts import INTERRUPTED, tell, watch

from .ending import WRONG_INPUT, complain
from .lazy_commands import LazyGroup

app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    rich_markup_mode=None,
    epilog="Example: xadbench generate table2-d10-5 --seed 1",
)
debugging = ContextVar("debugging", default=False)


@app.callback()
def root(
    *, debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of wrong input.")] = False
) -> None:
    """Make tables whose anomalies have known culprits, and judge who blames the right features."""
    debugging.set(debug)


<<<<<<< HEAD
=======
@app.command(epilog="Example: xadbench run mine.yaml --scope anomalies")
def run(  # noqa: PLR0917  # an option each
    suite: Annotated[str, typer.Argument(help="A shipped suite, or the path of a .yaml file.")],
    out: Out = None,
    scope: Annotated[
        str | None,
        typer.Option(help="Rows to rank by: anomalies, detected or flagged; the suite's if not told."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that run trials.")] = 1,
    executor: Annotated[
        Executor, typer.Option(help="dask: a cluster's workers, or --workers of it here.")
    ] = "loky",
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of a running Dask cluster.")
    ] = None,
    *,
    keep: Annotated[
        list[str] | None, typer.Option(help="Beside the scores: rows, attributions; several: a,b or again.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be run, and for how long.")
    ] = False,
) -> None:
    """Run a suite, or resume it, and print its leaderboard; writes to runs/SUITE unless told otherwise."""
    chosen = load_suite(suite)
    chosen = keeping(chosen, split_commas(keep)) if keep else chosen
    scope = scope or chosen.scope
    if scope not in SCOPES:
        raise unknown("scope", scope, SCOPES)
    folder = out or Path("runs") / chosen.name
    if dry_run:
        for line in estimate(chosen, folder).as_lines(folder, workers):
            typer.echo(line)
        return
    console = Console()
    with RunProgress(n_trials(chosen), console) as progress:
        records = run_suite(
            chosen,
            folder,
            progress.advance,
            progress.show,
            workers=workers,
            executor=executor,
            scheduler=scheduler,
        )
    publish(records, scope, folder, console, asked=chosen.metrics)
    for gap in lacking(folder, records, chosen.keep):
        complain(gap)
    if any(not is_finished(record) for record in records):
        raise typer.Exit(TRIALS_FAILED)


@app.command(epilog="Example: xadbench report runs/mine --format markdown")
def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run, finished or not.")],
    out: Out = None,
    form: Annotated[
        Literal["html", "markdown", "csv", "latex"],
        typer.Option("--format", help="html: pages that open offline; else the same tables."),
    ] = "html",
    *,
    remake: Annotated[
        bool, typer.Option("--remake", help="Make tables and attributions again that were not kept.")
    ] = False,
) -> None:
    """Write the report of a run; into the run's folder report/ unless told otherwise."""
    from xadbench.evaluation.report import write_report  # noqa: PLC0415  # Jinja takes a while

    typer.echo(f"{write_report(run, out or run / 'report', form, remade=remake)}")


@app.command(epilog="Example: xadbench reproduce table1 --datasets WBC --methods gaussian --seeds 0")
def reproduce(  # noqa: PLR0917  # an option each
    experiment: Annotated[str, typer.Argument(help="An experiment of the paper: xadbench list experiments.")],
    datasets: Annotated[list[str] | None, typer.Option(help="Of ADBench; several: a,b or again.")] = None,
    methods: Annotated[list[str] | None, typer.Option(help="Of the paper, or detectors; likewise.")] = None,
    seeds: Annotated[list[str] | None, typer.Option(help="Likewise; 0,1,2,3,4 if not told else.")] = None,
    smallest: Annotated[
        int | None, typer.Option(min=1, help="Only so many data sets: those with the smallest files.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that train detectors.")] = 1,
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Seconds after which a trial, or training a detector, ends.")
    ] = None,
    out: Out = None,
) -> None:
    """Run an experiment of the paper, or resume it; writes to reproduced/ unless told otherwise."""
    from xadbench.evaluation.reproduction import experiments  # noqa: PLC0415  # scikit-learn, matplotlib
    from xadbench.evaluation.reproduction.experiment import SEEDS, Choice  # noqa: PLC0415  # as above

    chosen = Choice(
        split_commas(datasets),
        split_commas(methods),
        list(dict.fromkeys(whole_number("seed", seed) for seed in split_commas(seeds))) or SEEDS,
        smallest,
        workers,
        timeout,
    )
    records = experiments.reproduce(experiment, chosen, out or Path("reproduced"), Console())
    if not all(map(is_finished, records)):
        raise typer.Exit(TRIALS_FAILED)


@app.command(epilog="Example: xadbench generate table2-d10-5 --seed 1 --rows 500 --out tables/ten")
def generate(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe, or the path of a .yaml file.")],
    seed: Seed = 0,
    rows: Annotated[int | None, typer.Option(help="Number of rows instead of the recipe's.")] = None,
    chunk_rows: Annotated[
        int, typer.Option(min=1, help="Rows held in memory and written at once; alters no content.")
    ] = CHUNK_ROWS,
    out: Out = None,
) -> None:
    """Make a table from a recipe; writes to tables/RECIPE-seed-SEED unless told otherwise."""
    loaded = generator.load_recipe(recipe)
    loaded = loaded if rows is None else generator.with_rows(loaded, rows)
    folder = new(out or Path("tables") / f"{loaded.name}-seed-{seed}")
    save(generator.generate_blocks(loaded, seed), folder, chunk_rows)


@app.command(epilog="Example: xadbench inject bundled:wine --kind global --kind local --ratio 0.1")
def inject(  # noqa: PLR0917  # an option each
    dataset: Annotated[
        str, typer.Argument(help="bundled:NAME, adbench:NAME, a .csv or .parquet file, a folder, or code.")
    ],
    kind: Annotated[list[str] | None, typer.Option(help="A kind of anomaly; may be given again.")] = None,
    ratio: Annotated[float, typer.Option(help="Share of anomalous rows, in (0, 1).")] = 0.05,
    base: Annotated[
        Literal["rows", "gmm"], typer.Option(help="rows: the real rows; gmm: a mixture fitted to them.")
    ] = "rows",
    protocol: Affected = "per-row",
    label: Annotated[str | None, typer.Option(help="Column of a file that marks its anomalies.")] = None,
    seed: Seed = 0,
    out: Out = None,
) -> None:
    """Put anomalies into real normal rows; writes to tables/DATASET-injected-seed-SEED if not told else."""
    name = Path(dataset.replace(":", "-")).name
    folder = new(out or Path("tables") / f"{name}-injected-seed-{seed}")
    chosen = {"kinds": kind} if kind else {}
    loaded = load_dataset(dataset, label, run_code=True)
    made = generator.inject(loaded, ratio=ratio, base=base, seed=seed, protocol=protocol, **chosen)
    save([made], folder)


@app.command(epilog="Example: xadbench audit table2-d4-5 --json audit.json")
def audit(  # noqa: PLR0917  # an option each
    source: Annotated[
        str, typer.Argument(help="A recipe, shipped or a .yaml file; or a data set to inject anomalies into.")
    ],
    kind: Annotated[
        list[str] | None, typer.Option(help="To inject; may be given again. Default: all.")
    ] = None,
    ratio: Annotated[float, typer.Option(help="Share of injected anomalies, in (0, 1).")] = 0.05,
    protocol: Affected = "per-row",
    label: Annotated[str | None, typer.Option(help="Column of a file that marks its anomalies.")] = None,
    seed: Seed = 0,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the figures here too.")] = None,
    *,
    train: Annotated[bool, typer.Option("--train", help="Train DTE and isolation forest too.")] = False,
) -> None:
    """Show whether the ground truth leaks, and how hard a recipe is; exit code 1 for a leak."""
    if ":" not in source and (source.endswith((".yaml", ".yml")) or not Path(source).exists()):
        audits.publish(generator.load_recipe(source), seed, Console(), json, train=train)
        return
    audits.publish_injection(
        source,
        load_dataset(source, label, run_code=True),
        kind or INJECTABLE,
        Console(),
        json,
        ratio=ratio,
        seed=seed,
        protocol=protocol,
    )


@release.command(epilog="Example: xadbench release build mini --out releases/mini --no-audit")
def build(
    release: Annotated[str, typer.Argument(help="A shipped release, or the path of a .yaml file.")],
    out: Out = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that make tables.")] = 1,
    *,
    audit: Annotated[bool, typer.Option(help="Audit each recipe for the datasheet.")] = True,
) -> None:
    """Make every table of a release, or go on where that was stopped; writes to releases/NAME-VERSION.

    It ends with exit code 1 and without a manifest if the ground truth of a table leaks.
    """
    from xadbench.generator.releases.build import build as make  # noqa: PLC0415  # mlcroissant is an extra

    loaded = generator.load_release(release)
    folder = out or Path("releases") / f"{loaded.name}-{loaded.version}"
    judge = audits.as_text if audit else None
    make(
        loaded,
        folder,
        on_table=lambda made: typer.echo(str(made)),
        workers=workers,
        audit=judge,
        check=check_leaks,
    )
    typer.echo(f"{folder}: {loaded.n_tables} tables")


@release.command(epilog="Example: xadbench release verify releases/mini --sample 1")
def verify(
    folder: Annotated[Path, typer.Argument(help="A built release.")],
    sample: Annotated[int | None, typer.Option(min=1, help="Remake only so many tables.")] = None,
) -> None:
    """Check every file of a release, then remake its tables and compare; exit code 1 if something differs."""
    from xadbench.generator.releases.verify import verify as compare  # noqa: PLC0415  # as above

    differences = compare(folder, sample, on_table=lambda remade: typer.echo(f"remade: {remade}"))
    for difference in differences:
        typer.echo(str(difference))
    if differences:
        raise typer.Exit(DIFFERS)
    typer.echo(f"{folder}: every file and every table remade is as published")


@app.command(name="list", epilog="Example: xadbench list recipes")
def list_(
    what: Annotated[str, typer.Argument(help=f"{', '.join(CATALOGUE)}.")],
) -> None:
    """List what can be named, with a line on each."""
    if what not in CATALOGUE:
        raise unknown("list", what, CATALOGUE)
    for entry in CATALOGUE[what]():
        if isinstance(entry, InputError):
            complain(str(entry))
        else:
            typer.echo(printable("{:<24} {}".format(*entry).rstrip()))


def split_commas(values: list[str] | None) -> list[str]:
    """Return the values of an option that takes several, each given by itself or with commas between."""
    return [part.strip() for value in values or [] for part in value.split(",") if part.strip()]


def whole_number(what: str, text: str) -> int:
    """Return a number of at least 0; `InputError` for any other text."""
    if not text.isdecimal():
        raise InputError(f"{what} is {text!r}, expected a whole number of at least 0")
    return int(text)


def new(folder: Path) -> Path:
    """Return `folder`, refusing one that exists: before the work rather than after it."""
    if folder.exists():
        raise InputError(f"{folder} exists already; choose another folder or remove it")
    return folder


def save(parts: Iterable[LabelledTable], folder: Path, chunk_rows: int = CHUNK_ROWS) -> None:
    """Write a table, and say what was written and what identifies it."""
    table = write_parts(parts, folder, chunk_rows)
    size = f"{table.n_rows} rows, {table.n_features} features"
    anomalies = f"{table.n_anomalies} anomalies ({', '.join(table.kinds[1:])})"
    typer.echo(f"{folder}: {size}, {anomalies}; content {table.content_hash}")


def complain(message: str) -> None:
    """Say in one line on the error stream what went wrong."""
    typer.echo(f"xadbench: {message}", err=True)


>>>>>>> reproduce
def main() -> None:
    """Run the command line; wrong input gives one line and exit code 2."""
    atexit.register(gc.freeze)  # a last look at all that torch and others made takes half a second
    try:
        code = app(args=sys.argv[1:] or ["--help"], standalone_mode=False)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except typer.TyperException as error:
        complain(error.format_message())
        code = WRONG_INPUT
    except (InputError, OSError) as error:  # OSError: a folder that cannot be written, a full disk
        if debugging.get():
            raise
        complain(" ".join(str(error).split()))
        code = WRONG_INPUT
    if code == INTERRUPTED:  # Typer's too
        tell()
    sys.exit(code)


if __name__ == "__main__":
    watch()
    main()
