"""Plots as PNG (matplotlib, without a display) and as HTML that holds all it needs (plotly)."""

from collections.abc import Iterable
from io import BytesIO
from itertools import cycle, product, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from plotly import graph_objects
from plotly.colors import qualitative
from plotly.subplots import make_subplots

from xadbench.datasets.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.artist import Artist

OURS, PUBLISHED = "#1f5fa8", "#b8b8b8"
COLOURS = tuple(qualitative.D3)  # as "#rrggbb", which both libraries read
PANELS_A_ROW = 3
BOLD = "mean"  # the series that stands out among the others
DASHES = {"-": "solid", "--": "dash", ":": "dot"}  # by matplotlib's name, plotly's


def draw_lines(points: pd.DataFrame, title: str, x: str, y: str, path: Path) -> None:
    """Draw a line for each series, to PATH.png and PATH.html.

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
    figure, page = _new((7, 4.5)), graph_objects.Figure()
    axes = figure.subplots()
    for name, (dash, colour) in looks_of(points["series"].unique()).items():
        line, width = points[points["series"] == name], 3 if name == BOLD else 1.2
        axes.plot(line[x], line[y], dash, color=colour, label=name, linewidth=width, marker="o", markersize=3)
        look = {"width": width, "color": colour, "dash": DASHES[dash]}
        page.add_scatter(x=line[x], y=line[y], name=name, line=look, mode="lines+markers")
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.legend(fontsize="x-small", bbox_to_anchor=(1.01, 1), loc="upper left")
    page.update_layout(title=title, xaxis_title=x, yaxis_title=y)
    _write(figure, page, path)


def looks_of(series: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return a dash, as of matplotlib, and a colour for each series; "mean" alone is black."""
    others = cycle(product(DASHES, COLOURS))
    return {name: ("-", "#000000") if name == BOLD else next(others) for name in series}


def draw_panels(points: pd.DataFrame, title: str, x: str, y: str, path: Path) -> None:
    """Draw a panel for each data set, with a line for each series, to PATH.png and PATH.html.

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
    page = make_subplots(n_rows, n_columns, subplot_titles=list(panels))
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True)
    drawn: dict[str, Artist] = {}
    for i, (axes, panel) in enumerate(zip_longest(grid.flat, panels)):
        axes.set(title=panel, xlabel=x, ylabel=y if i % n_columns == 0 else "", visible=i < len(panels))
        axes.xaxis.get_major_locator().set_params(integer=True)
        for name, line in points[points["panel"] == panel].groupby("series", sort=False):
            (curve,) = axes.plot(line[x], line[y], ".-", label=name, color=colours[name], linewidth=1.2)
            look = {"name": name, "legendgroup": name, "line_color": colours[name], "mode": "lines+markers"}
            place = {"row": i // n_columns + 1, "col": i % n_columns + 1}
            page.add_scatter(x=line[x], y=line[y], showlegend=name not in drawn, **look, **place)
            drawn.setdefault(name, curve)
    figure.legend([*drawn.values()], [*drawn], loc="outside right upper", fontsize="small")
    figure.suptitle(title)
    page.update_layout(title=title, height=120 + 300 * n_rows)
    page.update_xaxes(title=x)
    _write(figure, page, path)


def draw_bars(board: pd.DataFrame, title: str, columns: tuple[str, str], path: Path) -> None:
    """Draw two panels of horizontal bars, a bar a method, to PATH.png and PATH.html.

    Parameters
    ----------
    board
        Columns `method`, `source` ("ours" or "published", which decides the colour) and the two of `columns`.
    title, columns, path
        As in `draw_lines`; the columns name the panels.
    """
    figure, page = _new((10, 1.5 + 0.24 * len(board))), graph_objects.Figure()
    colours = [OURS if source == "ours" else PUBLISHED for source in board["source"]]
    labels = [f"{row['method']} ({row['source']})" for _, row in board.iterrows()]
    for i, (axes, column) in enumerate(zip(figure.subplots(1, 2, sharey=True), columns, strict=True)):
        axes.barh(labels, board[column], color=colours)
        axes.set(xlabel=column)
        axes.margins(y=0.01)
        shown = {} if i == 0 else {"xaxis": "x2"}
        bars = {"x": board[column], "y": labels, "marker": {"color": colours}, "orientation": "h"}
        page.add_bar(name=column, showlegend=False, **bars, **shown)
    axes.invert_yaxis()  # of both, since they share it: the first of the board is on top
    figure.suptitle(title)
    left, right = (
        {"domain": domain, "title": name}
        for domain, name in zip(([0, 0.48], [0.52, 1]), columns, strict=True)
    )
    page.update_layout(title=title, xaxis=left, xaxis2=right, yaxis={"autorange": "reversed"})
    page.update_layout(height=150 + 24 * len(board))
    _write(figure, page, path)


def _new(size: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)  # pyplot would keep every figure, and look for a display
    return figure


def _write(figure: Figure, page: graph_objects.Figure, path: Path) -> None:
    image = BytesIO()
    figure.savefig(image, format="png", dpi=150)
    for ending, content in (
        (".png", image.getvalue()),
        (".html", page.to_html(include_plotlyjs=True).encode()),
    ):
        with atomic_write(path.with_suffix(ending)) as file:
            file.write(content)
