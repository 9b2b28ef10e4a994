"""A placement as text for a terminal, as Markdown and as JSON."""

import json
import textwrap
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any, NamedTuple

import pandas as pd
from rich.console import Console
from rich.table import Table

from xadbench.datasets.common import rendering
from xadbench.datasets.common.errors import find, printable
from xadbench.datasets.common.rendering import escaped
from xadbench.evaluation.results.frame import flatten
from xadbench.evaluation.results.leaderboard import as_markdown, as_rich, leaderboard, missing_scores
from xadbench.evaluation.results.store import without_nan

from .placement import Place, Placement
from .placement_values import as_values, concerned

WIDTH = 80
NEAR = 3  # entries shown above and below the one that was scored
ALIKE, THEIRS = "=", "*"
NAMES = ("explainer", "detector")
COLUMNS = ("place", "explainer", "adj. nDCG_m", "95 %", "lead, 95 %", "normalised time", "seconds")
NOTE = (
    "adj. nDCG_m: 0 is as good as guessing, 1 is the truth. =: does not differ significantly from the entry "
    "that was scored. lead: how far that entry is ahead of it. Times are per trial; normalised time is "
    "processor time divided by that of a product of two 512 x 512 matrices."
)


def as_form(placement: Placement, form: str) -> str:
    """Return the placement as "text", "markdown" or "json"."""
    return find("format", form, FORMS)(placement)


def as_text(placement: Placement) -> str:
    """Return the placement for a terminal of 80 columns."""
    parts = (
        _as_text(part.frame, part.title) if isinstance(part, Titled) else _wrapped(part)
        for part in _parts(placement)
    )
    board = [] if placement.label else [_rendered(*as_rich(_leaderboard(placement)))]
    return "\n".join([*parts, *board, ""])


def as_md(placement: Placement) -> str:
    """Return the placement as Markdown, such as for a comment; names are escaped."""
    parts = (
        _as_markdown(part.frame, part.title) if isinstance(part, Titled) else escaped(part)
        for part in _parts(placement)
    )
    board = [] if placement.label else [as_markdown(_leaderboard(placement))]
    return "\n\n".join([*parts, *board, ""]).rstrip("\n") + "\n"


def as_json(placement: Placement) -> str:
    """Return the placement as JSON text."""
    return json.dumps(without_nan(as_values(placement)), indent=1) + "\n"


FORMS: dict[str, Callable[[Placement], str]] = {"text": as_text, "json": as_json, "markdown": as_md}


class Titled(NamedTuple):
    """A table of text, and its title."""

    title: str
    frame: pd.DataFrame


def _parts(placement: Placement) -> Iterator[Titled | str]:
    """Yield tables and paragraphs in their order."""
    for place in placement.places:
        if len(place.standing):
            yield Titled(_title(place), _shown(place))
        yield from _sentences(place)
    if len(placement.detectors):
        yield Titled("Detectors, by AUC-ROC", _detectors(placement))
    if len(placement.detectors) or any(len(place.standing) for place in placement.places):
        yield NOTE
    yield from _origin(placement)
    yield from placement.notes
    if not placement.label:
        yield from missing_scores(_leaderboard(placement))


def _leaderboard(placement: Placement) -> pd.DataFrame:
    """Return how the baselines do on what is new."""
    return leaderboard(flatten(concerned(placement)), placement.scope)


def _title(place: Place) -> str:
    board = place.board
    ceiling = "" if pd.isna(place.oracle_auc_roc) else f" (at best {place.oracle_auc_roc:.3f})"
    return f"On {board.detector}, AUC-ROC {board.auc_roc:.3f}{ceiling}; rows: {board.scope}"


def _shown(place: Place) -> pd.DataFrame:
    """Return the entry, its neighbours, the best one and the controls, by score, as cells of text."""
    shown = place.standing[_is_near(place)]
    entries = [(float(row["mean"]), _cells(str(name), row)) for name, row in shown.iterrows()]
    controls = [
        (float(row["mean"]), {"explainer": f"({name})", "adj. nDCG_m": f"{row['mean']:.3f}"})
        for name, row in place.board.references.iterrows()
    ]
    ordered = sorted([*entries, *controls], key=lambda one: -one[0])
    return pd.DataFrame([cells for _, cells in ordered], columns=list(COLUMNS)).fillna("")


def _is_near(place: Place) -> list[bool]:
    position = list(place.standing.index).index(place.label)
    return [abs(i - position) <= NEAR or i == 0 for i in range(len(place.standing))]


def _cells(name: str, row: "pd.Series[Any]") -> dict[str, str]:
    return _standing_cells(row) | {
        "explainer": name,
        "adj. nDCG_m": f"{row['mean']:.3f}",
        "95 %": _interval(row["low"], row["high"]),
        "lead, 95 %": _interval(row["lead_low"], row["lead_high"]),
        "normalised time": _cost(row["normalised_time"]),
        "seconds": THEIRS if row["is_shipped"] else _cost(row["seconds"]),
    }


def _standing_cells(row: "pd.Series[Any]") -> dict[str, str]:
    return {"place": f"{row['place']}{ALIKE if row['alike'] else ' '}"}


def _cost(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _interval(low: float, high: float) -> str:
    return "" if pd.isna(low) else f"{low:.2f} to {high:.2f}"


def _sentences(place: Place) -> Iterator[str]:
    if not len(place.standing):
        yield f"{place.label} on {place.board.detector} is not ranked: {place.reason}"
        return
    own, board = place.own, place.board
    interval = _interval(own["low"], own["high"]) or "unknown with one source of tables"
    yield (
        f"{place.label}: place {own['place']} of {len(place.standing)}, adj. nDCG_m {own['mean']:.3f} (95 % "
        f"interval: {interval}) on {board.n_tables} table(s), {board.n_seeds} seed(s). {_controls(place)}"
    )
    yield _alike(place)
    if hidden := len(place.standing) - sum(_is_near(place)):
        yield f"{hidden} entries further from its place are not shown; --format json lists all."
    if board.missing:
        names = ", ".join(lacking.explainer for lacking in board.missing)
        yield f"Not ranked, because scores are missing: {names}."
    if board.left_out:
        yield f"Left out, because no entry has a score there: {board.left_out}."
    yield f"Time per trial: {_cost_text(own)}."


def _controls(place: Place) -> str:
    n_cells = place.board.n_cells
    known = {str(name): (row["mean"], int(row["n"])) for name, row in place.board.references.iterrows()}
    said = [
        f"; {name} {known[name][0]:.3f}{_of_all(known[name][1], n_cells)}"
        for name in ("random", "oracle")
        if name in known
    ]
    return f"Guessing would get 0 (unadjusted nDCG_m {place.own['chance']:.3f}){''.join(said)}."


def _of_all(n: int, n_cells: int) -> str:
    return "" if n == n_cells else f" on {n} of {n_cells} tables and seeds"


def _alike(place: Place) -> str:
    if not place.alike:
        return "It differs significantly from every other entry."
    said = f"Does not differ significantly from: {', '.join(place.alike)}."
    if place.board.can_differ:
        return said
    n, k = place.board.n_sources, len(place.standing)
    return f"{said} {n} source(s) of tables are too few to distinguish any two of {k} entries."


def _cost_text(own: "pd.Series[Any]") -> str:
    if pd.isna(own["normalised_time"]):
        return "not known, because it was computed elsewhere"
    seconds = "from shipped results" if own["is_shipped"] else f"{_cost(own['seconds'])} seconds here"
    return f"{_cost(own['normalised_time'])} matmul-normalised time, {seconds}"


def _detectors(placement: Placement) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _standing_cells(row)
            | {
                "detector": str(name),
                "AUC-ROC": f"{row['mean']:.3f}",
                "95 %": _interval(row["low"], row["high"]),
                "lead, 95 %": _interval(row["lead_low"], row["lead_high"]),
            }
            for name, row in placement.detectors.iterrows()
        ]
    )


def _origin(placement: Placement) -> list[str]:
    about = placement.origin
    if not about:
        return []
    return [f"{THEIRS}: shipped results, computed on {about['cpu']}, {about['started']}, {about['commit']}."]


def _wrapped(text: str) -> str:
    return textwrap.fill(
        printable(" ".join(text.split())), WIDTH, break_long_words=False, break_on_hyphens=False
    )


def _as_text(frame: pd.DataFrame, title: str) -> str:
    return f"\n{_rendered(rendering.as_rich(frame, title, NAMES, edge=False))}"


def _rendered(*tables: Table) -> str:
    console = Console(width=WIDTH, file=StringIO(), record=True)
    console.print(*tables, sep="\n")
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())


def _as_markdown(frame: pd.DataFrame, title: str) -> str:
    return f"**{escaped(title)}**\n\n{rendering.as_markdown(frame)}"
