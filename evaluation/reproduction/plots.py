"""Plots as PNG, drawn by matplotlib without a display."""

from collections.abc import Iterable
from io import BytesIO
from itertools import cycle, product, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from xadbench.datasets.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.artist import Artist

OURS, PUBLISHED = "#1f5fa8", "#b8b8b8"
COLOURS = tuple(to_hex(colormaps["tab10"](i)) for i in range(10))
PANELS_A_ROW = 3
BOLD = "mean"  # the series that stands out among the others
DASHES = ("-", "--", ":")


def draw_lines(points: pd.DataFrame, title: str, x: str, y: str, path: Path) -> None:
    """Draw a line for each series, to PATH.png.

    Parameters
    ----------
    points
        Columns `series`, and those named `x` and `y`, with a row a point. A series called "mean" stands out;
        no other thirty look the same.
    title, x, y
        Texts of the figure and its axes, the latter the columns too.
    path
        Where to write, without an ending.
    """
    figure = _new((7, 4.5))
    axes = figure.subplots()
    for name, (dash, colour) in looks_of(points["series"].unique()).items():
        line, width = points[points["series"] == name], 3 if name == BOLD else 1.2
        axes.plot(line[x], line[y], dash, color=colour, label=name, linewidth=width, marker="o", markersize=3)
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.legend(fontsize="x-small", bbox_to_anchor=(1.01, 1), loc="upper left")
    _write(figure, path)


def looks_of(series: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return a dash and a colour for each series; "mean" alone is black."""
    others = cycle(product(DASHES, COLOURS))
    return {name: ("-", "#000000") if name == BOLD else next(others) for name in series}


def draw_panels(points: pd.DataFrame, title: str, x: str, y: str, path: Path) -> None:
    """Draw a panel for each data set, with a line for each series, to PATH.png.

    Parameters
    ----------
    points
        Columns `panel`, `series`, and those named `x` and `y`, with a row a point.
    title, x, y, path
        As in `draw_lines`.
    """
    panels = points["panel"].unique()
    colours = dict(zip(points["series"].unique(), cycle(COLOURS), strict=False))
    n_rows, n_columns = -(-len(panels) // PANELS_A_ROW), min(PANELS_A_ROW, len(panels))
    figure = _new((1.5 + 3 * n_columns, 0.8 + 2.5 * n_rows))
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True)
    drawn: dict[str, Artist] = {}
    for i, (axes, panel) in enumerate(zip_longest(grid.flat, panels)):
        axes.set(title=panel, xlabel=x, ylabel=y if i % n_columns == 0 else "", visible=i < len(panels))
        axes.xaxis.get_major_locator().set_params(integer=True)
        for name, line in points[points["panel"] == panel].groupby("series", sort=False):
            (curve,) = axes.plot(line[x], line[y], ".-", label=name, color=colours[name], linewidth=1.2)
            drawn.setdefault(name, curve)
    figure.legend([*drawn.values()], [*drawn], loc="outside right upper", fontsize="small")
    figure.suptitle(title)
    _write(figure, path)


def draw_bars(board: pd.DataFrame, title: str, columns: tuple[str, str], path: Path) -> None:
    """Draw two panels of horizontal bars, a bar a method, to PATH.png.

    Parameters
    ----------
    board
        Columns `method`, `source` ("ours" or "published", which decides the colour) and the two of `columns`.
    title, columns, path
        As in `draw_lines`; the columns name the panels.
    """
    figure = _new((10, 1.5 + 0.24 * len(board)))
    colours = [OURS if source == "ours" else PUBLISHED for source in board["source"]]
    labels = [f"{row['method']} ({row['source']})" for _, row in board.iterrows()]
    for axes, column in zip(figure.subplots(1, 2, sharey=True), columns, strict=True):
        axes.barh(labels, board[column], color=colours)
        axes.set(xlabel=column)
        axes.margins(y=0.01)
    axes.invert_yaxis()  # of both, since they share it: the first of the board is on top
    figure.suptitle(title)
    _write(figure, path)


def _new(size: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)  # pyplot would keep every figure, and look for a display
    return figure


def _write(figure: Figure, path: Path) -> None:
    image = BytesIO()
    figure.savefig(image, format="png", dpi=150)
    with atomic_write(path.with_suffix(".png")) as file:
        file.write(image.getvalue())
