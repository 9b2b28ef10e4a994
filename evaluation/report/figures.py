"""The figures of a report, as numbers for its templates: intervals, ranks, quality against cost."""

import html
import math
from collections.abc import Sequence
from itertools import cycle
from typing import Any

from xadbench.evaluation.results.ranking import Board

# Okabe and Ito 2008: safe for colour-blind readers. Their yellow and black are left out: one page is
# white, the other dark.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x", "star")
CONTROL, TRUE = "#999999", COLOURS[4]
LOW, HIGH = -0.5, 1.0  # of an interval's drawing: an explainer may be worse than chance


def bar(value: float) -> float:
    """Return where an adjusted score lies on a bar from 0 to 150; beyond an end it is drawn at the end."""
    return round((min(max(value, LOW), HIGH) - LOW) * 100, 1)


def scatter(boards: Sequence[Board]) -> dict[str, Any]:
    """Return plotly's figure of adjusted nDCG_m against seconds, a colour and a symbol for each detector."""
    data = []
    for board, colour, symbol in zip(boards, cycle(COLOURS), cycle(SYMBOLS), strict=False):
        ranked = board.ranked[board.ranked["seconds"] > 0]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": html.escape(board.detector),
                "x": [_rounded(value) for value in ranked["seconds"]],
                "y": [_rounded(value) for value in ranked["mean"]],
                "error_y": {
                    "type": "data",
                    "array": [_rounded(value) for value in (ranked["high"] - ranked["mean"]).fillna(0)],
                    "arrayminus": [_rounded(value) for value in (ranked["mean"] - ranked["low"]).fillna(0)],
                    "thickness": 1,
                },
                "hovertext": [html.escape(str(name)) for name in ranked.index],
                "hovertemplate": "%{hovertext}<br>%{y:.3f} in %{x:.3g} s<extra>%{fullData.name}</extra>",
                "marker": {"color": colour, "symbol": symbol, "size": 10},
            }
        )
    layout = {
        "xaxis": {"type": "log", "title": {"text": "seconds to fit and explain, mean of a trial"}},
        # Fixed: intervals over few sources reach far, and would leave the points on a line.
        "yaxis": {"title": {"text": "adjusted nDCG_m (0 = chance, 1 = truth)"}, "range": [-1.05, 1.05]},
        "margin": {"t": 20, "r": 10},
        "legend": {"orientation": "h", "y": 1.12},
    }
    return {"data": data, "layout": layout}


def bars(boards: Sequence[Board]) -> dict[str, Any]:
    """Return plotly's figure of the mean adjusted nDCG_m with its interval, controls apart in grey."""
    data = []
    for board, colour in zip(boards, cycle(COLOURS), strict=False):
        ranked, references = board.ranked[::-1], board.references[::-1]
        high, low = (ranked["high"] - ranked["mean"]), (ranked["mean"] - ranked["low"])
        entries = {
            "y": [html.escape(str(name)) for name in (*references.index, *ranked.index)],
            "x": [_rounded(value) for value in (*references["mean"], *ranked["mean"])],
        }
        nothing = [0.0] * len(references)
        error = {
            "type": "data",
            "array": [*nothing, *map(_rounded, high.fillna(0))],
            "arrayminus": [*nothing, *map(_rounded, low.fillna(0))],
        }
        colours = [CONTROL] * len(references) + [colour] * len(ranked)
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": html.escape(board.detector),
                **entries,
                "error_x": error,
                "marker": {"color": colours},
            }
        )
    layout = {
        "xaxis": {"title": {"text": "adjusted nDCG_m (0 = chance, 1 = truth)"}, "range": [-1.05, 1.05]},
        "barmode": "group",
    }
    return {"data": data, "layout": layout}


def shares(names: Sequence[str], values: Sequence[float], ground_truth: Sequence[bool]) -> dict[str, Any]:
    """Return plotly's figure of the attributions of a row, one bar a feature, the first on top."""
    colours = [TRUE if is_true else CONTROL for is_true in ground_truth]
    data = {
        "type": "bar",
        "orientation": "h",
        "y": [html.escape(name) for name in names],
        "x": [_rounded(value) for value in values],
        "marker": {"color": colours},
    }
    layout = {
        "xaxis": {"title": {"text": "attribution (higher = more responsible)"}},
        "yaxis": {"autorange": "reversed", "type": "category"},
    }
    return {"data": [data], "layout": layout}


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def ranks(board: Board) -> dict[str, Any]:
    """Return the places of a critical-difference diagram: labels by mean rank, bars over what is tied.

    Source: Demšar 2006, with bars by pairwise tests (Benavoli et al. 2016).
    """
    by_rank = board.ranked.sort_values("rank", kind="stable")
    n, at = len(by_rank), {str(name): float(rank) for name, rank in by_rank["rank"].items()}
    left, right, top = 220, 580, 46

    def x(rank: float) -> float:
        return round(left + (right - left) * (rank - 1) / max(n - 1, 1), 1)

    bars = [(x(at[run[0]]) - 4, x(at[run[-1]]) + 4, top + 10 + 8 * i) for i, run in enumerate(board.groups)]
    below = top + 10 + 8 * len(bars) + 12
    half = math.ceil(n / 2)
    labels = []
    for i, (name, rank) in enumerate(at.items()):
        row = i if i < half else n - 1 - i
        on_left = i < half
        labels.append(
            {
                "name": name,
                "rank": rank,
                "x": x(rank),
                "y": below + 20 * row,
                "end": left - 14 if on_left else right + 14,
                "anchor": "end" if on_left else "start",
            }
        )
    return {
        "ticks": [(x(rank), rank) for rank in range(1, n + 1)] if n <= 15 else _sparse(x, n),
        "axis": (left, right, top),
        "bars": bars,
        "labels": labels,
        "height": below + 20 * half,
    }


def _sparse(x: Any, n: int) -> list[tuple[float, int]]:
    return [(x(rank), rank) for rank in (1, *range(5, n, 5), n)]
