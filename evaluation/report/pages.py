"""The pages of an HTML report: which there are, and what each shows."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xadbench.evaluation.results.ranking import Board, headline
from xadbench.evaluation.results.run_results import Results
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE, SCOPES

from . import figures
from .curves import chart, curves
from .further import further_metrics
from .table_pages import facts_of, table_pages
from .tables import detector_quality, not_ok

PAGES = {
    "index.html": "Leaderboard",
    "ranks.html": "Ranks",
    "cost.html": "Quality and cost",
    "kinds.html": "Kinds of anomaly",
    "curves.html": "Faithfulness",
    "metrics.html": "Further metrics",
    "detectors.html": "Detectors",
    "tables.html": "Data sets",
    "faults.html": "Failures and skips",
    "provenance.html": "Provenance",
}


@dataclass(frozen=True)
class Page:
    """A page: where it goes, its template, and what that shows."""

    path: str
    template: str
    context: Mapping[str, Any]


def pages(run: Path, results: Results, boards: Sequence[Board], *, remade: bool = False) -> Iterator[Page]:
    """Yield the pages of a report, the first first; `remade`: what the run did not keep is made again."""
    shown = headline(boards, HEADLINE_SCOPE)
    faults = not_ok(results)
    contents: dict[str, dict[str, Any]] = {
        "index.html": _leaderboard(results, boards),
        "ranks.html": {"diagrams": [(board, figures.ranks(board)) for board in shown]},
        "cost.html": {"boards": shown, "scatter": figures.scatter(shown)},
        "detectors.html": {"quality": detector_quality(results).to_dict("records")},
        "kinds.html": {"heat": _heat(boards), "n_kinds": results.by_kind["kind"].nunique()},
        "metrics.html": {"metrics": _by_metric(results)},
        "curves.html": {"curves": [(of, chart(of)) for of in curves(results)]},
        "tables.html": {"tables": facts_of(results)},
        "faults.html": {
            "faults": faults.to_dict("records"),
            "counts": results.trials["status"].value_counts().to_dict(),
            "n_superseded": results.n_superseded,
            "knows_all": results.knows_all,
        },
        "provenance.html": {"facts": list(_flat(results.provenance.as_json()))},
    }
    for path, title in PAGES.items():
        common = _common(results, path, title, root="")
        yield Page(path, f"{path}.j2", common | contents[path])
    for facts, shown_of_table in table_pages(run, results, remade=remade):
        common = _common(results, facts["path"], facts["table"], root="../")
        yield Page(facts["path"], "table.html.j2", common | shown_of_table)


def _by_metric(results: Results) -> list[tuple[Any, list[dict[Hashable, Any]]]]:
    """Return the rows of each (detector, metric)."""
    groups = further_metrics(results.frame).groupby(["detector", "metric"], sort=False)
    return [(of, rows.to_dict("records")) for of, rows in groups]


def _common(results: Results, path: str, title: str, root: str) -> dict[str, Any]:
    suite = results.provenance.suite or {}
    return {
        "title": title,
        "here": path,
        "root": root,
        "navigation": PAGES,
        "run": suite.get("name", "run"),
        "description": suite.get("description", ""),
        "scope": HEADLINE_SCOPE,
    }


def _leaderboard(results: Results, boards: Sequence[Board]) -> dict[str, Any]:
    trials = results.trials
    return {
        "boards": boards,
        "bar": figures.bar,
        "scopes": SCOPES,
        "widths": sorted({board.d for board in boards if board.d is not None}),
        "kinds_by_width": any(board.kind is not None and board.d is not None for board in boards),
        "kinds": list(dict.fromkeys(board.kind for board in boards if board.kind is not None)),
        "detectors": list(trials["detector"].unique()),
        "counts": trials["status"].value_counts().to_dict(),
        "n_trials": len(trials),
    }


def _heat(boards: Sequence[Board]) -> list[dict[str, Any]]:
    """Return for each detector its kinds, their numbers of cells, and rows of (explainer, means by kind)."""
    whole = {one.detector: one for one in headline(boards, HEADLINE_SCOPE)}
    heat = []
    for detector, overall in whole.items():
        of_kinds = [
            one
            for one in boards
            if (one.scope, one.detector, one.d) == (HEADLINE_SCOPE, detector, None) and one.kind is not None
        ]
        names = dict.fromkeys(name for one in [overall, *of_kinds] for name in _means(one))
        rows = [
            (name, name in overall.references.index, [_means(one).get(name) for one in of_kinds])
            for name in names
        ]
        heat.append({"detector": detector, "boards": of_kinds, "rows": rows})
    return heat


def _means(one: Board) -> dict[str, float]:
    """Return the mean of each entry, and of the controls that are known on the same cells."""
    references = one.references[one.references["n"] == one.n_cells]
    return one.ranked["mean"].to_dict() | references["mean"].to_dict()


def _flat(values: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted path, text) of every leaf of JSON values."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from _flat(value, f"{path}.{key}" if path else str(key))
    elif isinstance(values, list) and any(isinstance(value, dict | list) for value in values):
        for i, value in enumerate(values):
            yield from _flat(value, f"{path}[{i}]")
    else:
        yield path, ", ".join(map(str, values)) if isinstance(values, list) else str(values)
