"""`xadbench compare`: the regression gate."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from xadbench.datasets.common.rendering import plain
from xadbench.datasets.files import atomic_write
from xadbench.evaluation.regression import Criteria, RegressionCheck
from xadbench.evaluation.regression import compare as compare_runs
from xadbench.evaluation.regression import rendering as output
from xadbench.evaluation.regression.verdict import Unclear
from xadbench.evaluation.results import store
from xadbench.evaluation.results.stored_runs import ACCEPTED, BASELINES

FAILED, NOT_COMPARABLE = 1, 2
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: xadbench compare main runs/mine --no-time --markdown -")
def compare(  # noqa: PLR0917  # an option each
    base: Annotated[str, typer.Argument(help=f"The run to compare with: {ACCEPTED}.")],
    new: Annotated[str, typer.Argument(help="The run to check, named in the same ways.")],
    metrics: Annotated[
        list[str] | None,
        typer.Option(help="Metrics to compare, such as adjusted_acc_m. Give several as a,b."),
    ] = None,
    scope: Annotated[str, typer.Option(help="The rows: anomalies, detected or flagged.")] = Criteria.scope,
    tolerance: Annotated[float, typer.Option(help="The tolerated loss of a metric.")] = Criteria.tolerance,
    time_tolerance: Annotated[
        float, typer.Option(help="The tolerated ratio of normalised times.")
    ] = Criteria.time_tolerance or 1.0,
    level: Annotated[
        float,
        typer.Option(help="Confidence level: the share of comparisons of equal runs that pass."),
    ] = Criteria.level,
    baselines: Annotated[Path, typer.Option(metavar="DIR", help="The folder of the baselines.")] = BASELINES,
    markdown: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write Markdown to this file; - prints only it.")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JSON to this file.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML to this file.")] = None,
    unclear: Annotated[
        Unclear, typer.Option(help="Whether a loss beyond the tolerance that may be chance passes or fails.")
    ] = Criteria.unclear,
    *,
    compare_time: Annotated[
        bool, typer.Option("--time/--no-time", help="Also compare times, except with shipped results.")
    ] = True,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Allow trials that are missing in NEW.")
    ] = False,
    allow_new_failures: Annotated[
        bool, typer.Option("--allow-new-failures", help="Allow trials that have a score in BASE only.")
    ] = False,
    allow_other_tables: Annotated[
        bool, typer.Option("--allow-other-tables", help="Allow tables with different content.")
    ] = False,
    allow_other_versions: Annotated[
        bool, typer.Option("--allow-other-versions", help="Allow other versions or parameters of components.")
    ] = False,
    allow_other_seeds: Annotated[
        bool, typer.Option("--allow-other-seeds", help="Allow runs without a common seed.")
    ] = False,
) -> None:
    """Check whether a run is worse than another. Exit code 1: it is worse; 2: they are not comparable.

    Trials are paired by table, seed, detector and explainer. Quality fails where the whole interval of a mean
    difference is a loss beyond the tolerance, time where that of the ratio is. A trial fails that loses more
    than 0.1, a table or detector more than 0.05, unless that may be the chance of which rows there are.
    """
    allowed = {
        "missing": allow_missing,
        "new-failures": allow_new_failures,
        "other-tables": allow_other_tables,
        "other-versions": allow_other_versions,
        "other-seeds": allow_other_seeds,
    }
    criteria = Criteria(
        metrics=Criteria.metrics if metrics is None else _several(metrics),
        scope=scope,
        tolerance=tolerance,
        time_tolerance=time_tolerance if compare_time else None,
        level=level,
        unclear=unclear,
        allowed=frozenset(name for name, is_allowed in allowed.items() if is_allowed),
    )
    check = compare_runs(base, new, criteria, baselines)
    _publish(check, markdown, json, junit)
    if not check.passed:
        raise typer.Exit(NOT_COMPARABLE if check.not_comparable else FAILED)


def _several(values: list[str] | None) -> tuple[str, ...]:
    parts = (part.strip() for value in values or [] for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _publish(check: RegressionCheck, markdown: str | None, json: Path | None, junit: Path | None) -> None:
    if json is not None:
        store.write_json(json, output.as_json(check))
    if junit is not None:
        _write(junit, output.as_junit(check))
    if markdown == "-":
        typer.echo(output.as_markdown(check), nl=False)
        return
    if markdown is not None:
        _write(Path(markdown), output.as_markdown(check).encode())
    _print(check, Console())


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path) as file:
        file.write(content)


def _print(check: RegressionCheck, console: Console) -> None:
    lines = [*output.losses(check), *output.hints(check)]
    if check.comparisons:
        console.print(*output.as_rich(check), sep="\n", highlight=False)
        lines.insert(0, f"{output.criteria_of(check)} {output.MEANINGS} {output.sensitivity(check)}")
    for line in [*lines, f"{check.new} against {check.base}: {output.headline(check)}"]:
        console.print(plain(line), soft_wrap=True)
