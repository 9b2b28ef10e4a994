"""Curves of a report: the score without the k top-ranked features, or with sets of k random ones."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, product
from typing import Any

import numpy as np
import pandas as pd

from xadbench.datasets.common.arrays import FloatArray
from xadbench.evaluation.metrics import METRICS, set_sizes
from xadbench.evaluation.results import statistics as stats
from xadbench.evaluation.results.frame import IDENTITY
from xadbench.evaluation.results.run_results import Results

from .figures import COLOURS, SYMBOLS

N_PLACES = 10  # where curves over tables of several widths are read off
DASHES = ("solid", "dash", "dot", "dashdot")
AT_K = {
    "faithfulness": "correlation of attributions and effect over random sets of k features",
    "comprehensiveness": "share of the score that goes with the k top-ranked features",
    "sufficiency": "share of the score that is lost with only the k top-ranked features",
}


@dataclass(frozen=True, eq=False)
class Curves:
    """The mean curves of the explainers on a detector by a metric.

    Attributes
    ----------
    places
        In words, the number of features k of each column of `means`, or how far it is from 1 to d - 1.
    means
        By explainer, over the cells where all of these have a curve, the highest mean first.
    missing
        Explainers without a curve on some cell.
    """

    detector: str
    metric: str
    meaning: str
    higher_is_better: bool
    places: list[str]
    means: pd.DataFrame
    n_cells: int
    missing: list[str]

    @property
    def name(self) -> str:
        """A name for its elements on a page, of no character that HTML minds."""
        return f"curve-{self.metric}-{self.detector.encode().hex()}"


def curves(results: Results) -> Iterator[Curves]:
    """Yield the curves of each detector and metric that the run recorded any of."""
    if results.curves.empty:
        return
    facts = results.trials[[*IDENTITY, "n_features", "status", "is_reference"]]
    names = [name for name in METRICS if name in set(results.curves["metric"])]
    for detector, metric in product(facts["detector"].unique(), names):
        own = results.curves[results.curves["metric"] == metric]
        cells = facts[facts["detector"] == detector].merge(own, how="left", on=IDENTITY)
        if cells["curve"].notna().any():
            yield _curves(cells, str(detector), metric)


def _curves(cells: pd.DataFrame, detector: str, metric: str) -> Curves:
    wide, places = _at_places(cells)
    grid = stats.common_grid(wide, "explainer", "at_0")
    chosen = wide[wide["explainer"].isin(grid.figures.columns)]
    chosen = chosen.set_index([stats.TABLE, stats.SEED])
    chosen = chosen[chosen.index.isin(grid.figures.index)]
    columns = [name for name in wide if str(name).startswith("at_")]
    means = {
        name: stats.by_source(of[columns]).mean() for name, of in chosen.groupby("explainer", sort=False)
    }
    frame = pd.DataFrame.from_dict(means, orient="index", columns=columns)
    frame = frame.loc[frame.mean(axis=1).sort_values(ascending=not METRICS[metric].higher_is_better).index]
    return Curves(
        detector=detector,
        metric=metric,
        meaning=AT_K[metric],
        higher_is_better=METRICS[metric].higher_is_better,
        places=places,
        means=frame,
        n_cells=len(grid.figures),
        missing=list(grid.missing),
    )


def _at_places(cells: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the cells with a column `at_<i>` for each place, and what the places are."""
    own = list(zip(cells["curve"], cells["n_features"], strict=True))
    widths = {int(d) for curve, d in own if _is_curve(curve, d)}
    sizes = {int(d): set_sizes(int(d)) for d in widths}
    if len(sizes) == 1:
        (only,) = sizes.values()
        places, n = [f"k = {k}" for k in only], len(only)
    else:
        places, n = [f"{place:.0%}" for place in np.linspace(0, 1, N_PLACES)], N_PLACES
    read = [
        _read_off(curve, sizes[int(d)], n) if _is_curve(curve, d) else np.full(n, np.nan) for curve, d in own
    ]
    values = pd.DataFrame(np.array(read), columns=[f"at_{i}" for i in range(n)], index=cells.index)
    return cells.drop(columns="curve").join(values), places


def _is_curve(curve: object, d: float) -> bool:
    """Whether a record has a curve, and one of the sizes that are known here."""
    return isinstance(curve, list) and len(curve) == len(set_sizes(int(d)))


def _read_off(curve: list[float], sizes: Any, n: int) -> FloatArray:
    """Return a curve over `sizes` at `n` places, evenly spread from first to last in their logarithm."""
    values = np.asarray(curve, dtype=float)
    if len(values) == n:
        return values
    x = np.log(sizes) / max(np.log(sizes[-1]), 1e-12)
    read: FloatArray = np.interp(np.linspace(0, 1, n), x, values)
    return read


def chart(of: Curves) -> dict[str, Any]:
    """Return plotly's figure of curves, distinguished by colour, symbol and dash."""
    looks = zip(of.means.iterrows(), cycle(COLOURS), cycle(SYMBOLS), strict=False)
    data = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": html.escape(str(name)),
            "x": of.places,
            "y": [None if value != value else round(value, 4) for value in row],  # noqa: PLR0124  # NaN
            "line": {"color": colour, "width": 2, "dash": DASHES[i // len(COLOURS) % len(DASHES)]},
            "marker": {"color": colour, "symbol": symbol, "size": 7},
            "hovertemplate": "%{fullData.name}: %{y:.3f} at %{x}<extra></extra>",
        }
        for i, ((name, row), colour, symbol) in enumerate(looks)
    ]
    layout = {
        "xaxis": {"type": "category", "title": {"text": "features"}},
        "yaxis": {"title": {"text": of.metric}},
        "margin": {"t": 20, "r": 10},
        "legend": {"orientation": "h", "y": -0.2},
    }
    return {"data": data, "layout": layout}
