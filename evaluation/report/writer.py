"""Writes a report: HTML pages with all that they need beside them, or plain tables."""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from xadbench.datasets.common.errors import unknown
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.files import atomic_write
from xadbench.evaluation.results.ranking import boards
from xadbench.evaluation.results.run_results import read_results

from . import pages
from .further import further_metrics
from .tables import as_text, tables

if TYPE_CHECKING:
    from jinja2 import Environment

Format = Literal["html", "markdown", "csv", "latex"]
FORMATS: tuple[Format, ...] = get_args(Format)
ASSETS = ("report.css", "report.js")


@one_thread()
def report(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    form: Format = "html",
    *,
    remade: bool = False,
) -> Path:
    """Write the report of a run into a folder and return its first file.

    The pages refer to nothing outside the folder, and without JavaScript they are plain tables. Files of an
    earlier report in the folder are replaced, and pages of tables that the run has no more go.

    Parameters
    ----------
    run
        The folder of a run, finished or not.
    out
        The folder to write into; default: `report` in that of the run.
    form
        "html": pages that open offline; "markdown", "csv" or "latex": the same tables.
    remade
        Whether to make again what the run did not keep, which may take long: tables, to show their graphs and
        margins, and the attributions of examples, for which detectors are fitted.

    Raises
    ------
    InputError
        If `run` holds no run, or no record yet; or for an unknown form.

    Examples
    --------
    >>> from xadbench import report
    >>> report("runs/quick")  # doctest: +SKIP
    PosixPath('runs/quick/report/index.html')
    """
    if form not in FORMATS:
        raise unknown("form", form, FORMATS)
    run, out = Path(run), Path(run) / "report" if out is None else Path(out)
    results = read_results(run)
    made = boards(results)
    if form != "html":
        further = further_metrics(results.frame)
        also = {"metrics": further} if len(further) else {}
        return write_files(out, as_text(tables(results, made) | also, form))
    made_by = environment()
    for name in ASSETS:
        _write(out / name, files("xadbench.evaluation.report").joinpath("assets", name).read_text("utf-8"))
    _write(out / "plotly.min.js", _plotly())
    rendered = {
        page.path: made_by.get_template(page.template).render(page.context)
        for page in pages.pages(run, results, made, remade=remade)
    }
    first = write_files(out, rendered)
    for page in (out / "tables").glob("[0-9][0-9][0-9]-*.html"):
        if f"tables/{page.name}" not in rendered:
            page.unlink()
    return first


def write_files(out: Path, texts: Mapping[str, str]) -> Path:
    """Write each text whole under its name; return the path of the first, which is written last."""
    first, *_ = texts
    for name in reversed(list(texts)):
        _write(out / name, texts[name])
    return out / first


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as file:
        file.write(text.encode())


def _plotly() -> str:
    from plotly.offline import get_plotlyjs  # noqa: PLC0415  # takes a while to import

    source: str = get_plotlyjs()
    return source


def environment() -> "Environment":
    """Return what renders the report's templates."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # takes a while to import

    made = Environment(
        loader=PackageLoader("xadbench.evaluation.report"),
        autoescape=True,  # a data set may be called <script>
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"figure": figure, "cost": cost, "share": share}
    return made


def figure(value: Any, digits: int = 3) -> str:
    """Return a number for a cell, or a dash where there is none."""
    if value is None or value != value:  # noqa: PLR0124  # NaN
        return "–"  # noqa: RUF001  # an en dash, as tables have
    text = f"{value:.{digits}f}" if abs(value) < 1e5 else f"{value:.3g}"
    return text.removeprefix("-") if float(text) == 0 else text  # no minus before nothing


def share(value: float) -> str:
    """Return how strongly a cell of a heat map is coloured: not at all at 0, wholly at 1 and -1."""
    return f"{min(abs(value), 1):.0%}"


def cost(value: float) -> str:
    """Return a cost, which spans orders of magnitude, to three figures."""
    return figure(None) if value != value else f"{value:.3g}"  # noqa: PLR0124  # NaN
