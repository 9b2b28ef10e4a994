"""The history of a suite's runs: scores and times over commits, on one page that opens offline."""

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from importlib.resources import files
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.files import atomic_write
from xadbench.evaluation.results import statistics as stats
from xadbench.evaluation.results.frame import IDENTITY
from xadbench.evaluation.results.stored_runs import BASELINES, UNKNOWN, Run, read_run

from .figures import COLOURS, SYMBOLS

SHORTEST = 1e-6  # matmul-normalised time that a clock may tell apart from none


@dataclass(frozen=True, eq=False)
class History:
    """The runs of a suite, the oldest first.

    Attributes
    ----------
    suite
        Its name.
    runs
        A row a run: `name`, `commit`, `started`.
    scores, times
        A row a run, a column an explainer: the mean over sources of the metric, and the geometric one of
        the matmul-normalised time, over the trials that every run with that explainer has, on equal tables;
        NaN in a run without it, or where there are no such trials.
    """

    suite: str
    runs: pd.DataFrame
    scores: pd.DataFrame
    times: pd.DataFrame


def read_runs(places: Sequence[Path]) -> list[Run]:
    """Read runs: each place is one (a folder, a Parquet file), or a folder of such.

    Raises
    ------
    InputError
        If a place holds no run.
    """
    return [read_run(str(path), BASELINES) for place in places for path in _within(place)]


def _within(place: Path) -> Iterator[Path]:
    if not place.is_dir() or _is_run(place):
        yield place
        return
    found = [path for path in sorted(place.iterdir()) if _is_run(path) or path.suffix == ".parquet"]
    if not found:
        raise InputError(
            f"{place}: no run in that folder; expected folders with a run.json, or .parquet files"
        )
    yield from found


def _is_run(path: Path) -> bool:
    return (path / "run.json").is_file()


def histories(runs: Sequence[Run], metric: str, scope: str) -> list[History]:
    """Return the history of each suite that the runs are of.

    Raises
    ------
    InputError
        If there is no run, or one lacks the metric.
    """
    if not runs:
        raise InputError("no run to show; expected folders of runs, or .parquet files")
    by_suite: dict[str, list[Run]] = {}
    for run in sorted(runs, key=_started):
        by_suite.setdefault(run.suite, []).append(run)
    return [_history(suite, of_suite, metric, scope) for suite, of_suite in by_suite.items()]


def _started(run: Run) -> str:
    return str(run.provenance.started or "")


def _history(suite: str, runs: Sequence[Run], metric: str, scope: str) -> History:
    scores = _by_run([_cells(run, run.values(scope, metric)) for run in runs])
    logs = [_cells(run, run.trials["normalised_time"].clip(lower=SHORTEST)).map(np.log) for run in runs]
    times = _by_run(logs).map(np.exp)
    facts = [(run.name, str(run.provenance.commit or UNKNOWN), _started(run) or UNKNOWN) for run in runs]
    return History(suite, pd.DataFrame(facts, columns=["name", "commit", "started"]), scores, times)


def _cells(run: Run, values: "pd.Series[float]") -> "pd.Series[float]":
    """Return the values there are, by IDENTITY and the table's content."""
    known = values.dropna().rename("value").to_frame().join(run.trials["content_hash"].fillna(UNKNOWN))
    cells: pd.Series[float] = known.set_index("content_hash", append=True)["value"]
    return cells


def _by_run(values: Sequence["pd.Series[float]"]) -> pd.DataFrame:
    """Return the means by run and explainer, over the cells that the runs with an explainer share."""
    explainers = dict.fromkeys(name for of_run in values for name in of_run.index.unique("explainer"))
    return pd.DataFrame({name: _means([_of(of_run, name) for of_run in values]) for name in explainers})


def _of(values: "pd.Series[float]", explainer: str) -> "pd.Series[float]":
    return values[values.index.get_level_values("explainer") == explainer]


def _means(values: Sequence["pd.Series[float]"]) -> list[float]:
    shared = reduce(pd.Index.intersection, [of_run.index for of_run in values if len(of_run)])
    return [_mean(of_run[of_run.index.isin(shared)]) for of_run in values]


def _mean(values: "pd.Series[float]") -> float:
    if values.empty:
        return float("nan")
    grid = (
        values.rename("value")
        .reset_index()[[*IDENTITY, "value"]]
        .set_index([stats.TABLE, stats.SEED])[["value"]]
    )
    return float(stats.by_source(grid)["value"].mean())


def write_history(runs: Sequence[Run], out: Path, metric: str, scope: str) -> Path:
    """Write the page of the runs' histories; it refers to nothing outside itself.

    Raises
    ------
    InputError
        As `histories`.
    """
    from plotly.offline import get_plotlyjs  # noqa: PLC0415  # takes a while to import

    from .writer import environment  # noqa: PLC0415  # Jinja takes a while

    shown = [_context(i, history, metric) for i, history in enumerate(histories(runs, metric, scope))]
    assets = files("xadbench.evaluation.report").joinpath("assets")
    text = (
        environment()
        .get_template("history.html.j2")
        .render(
            histories=shown,
            metric=metric,
            scope=scope,
            style=assets.joinpath("report.css").read_text("utf-8"),
            script=assets.joinpath("report.js").read_text("utf-8"),
            plotly=get_plotlyjs(),
        )
    )
    with atomic_write(out) as file:
        file.write(text.encode())
    return out


def _context(i: int, history: History, metric: str) -> dict[str, Any]:
    labels = [
        f"{commit[:10]} ({started[:10]})"
        for commit, started in history.runs[["commit", "started"]].to_numpy()
    ]
    return {
        "id": f"suite-{i}",
        "suite": history.suite,
        "runs": history.runs.assign(label=labels).to_dict("records"),
        "explainers": list(history.scores.columns),
        "scores": history.scores.to_dict("list"),
        "times": history.times.to_dict("list"),
        "figures": {
            "score": _figure(history.scores, labels, {"title": {"text": metric}}),
            # In the same order, so that an explainer has one colour.
            "time": _figure(
                history.times.reindex(columns=history.scores.columns),
                labels,
                {"title": {"text": "matmul-normalised time"}, "type": "log"},
            ),
        },
    }


def _figure(values: pd.DataFrame, labels: Sequence[str], axis: Mapping[str, Any]) -> dict[str, Any]:
    """Return plotly's figure: a line an explainer, a point a run."""
    places: Iterable[Any] = zip(values.columns, cycle(COLOURS), cycle(SYMBOLS), strict=False)
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": html.escape(str(name)),
            "x": list(range(len(labels))),
            "y": [None if value != value else float(f"{value:.5g}") for value in values[name]],  # noqa: PLR0124  # NaN
            "line": {"color": colour},
            "marker": {"symbol": symbol, "size": 9},
        }
        for name, colour, symbol in places
    ]
    ticks = {"tickvals": list(range(len(labels))), "ticktext": [html.escape(label) for label in labels]}
    layout = {
        "xaxis": ticks | {"ticklabeloverflow": "allow"},
        "yaxis": axis,
        "margin": {"t": 20, "r": 80},
        "legend": {"orientation": "h", "y": 1.12},
    }
    return {"data": data, "layout": layout}
