"""The pages of an HTML report: which there are, and what each shows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xadbench.evaluation.plan import resolve
from xadbench.evaluation.report import figures
from xadbench.evaluation.report.boards import Board, board, cells_of, headline
from xadbench.evaluation.report.remake import graph, margins, remake
from xadbench.evaluation.report.results import Results
from xadbench.evaluation.report.tables import detector_quality, not_ok
from xadbench.evaluation.scoring import HEADLINE_SCOPE, SCOPES
from xadbench.evaluation.suite import Suite, TableSpec

PAGES = {
    "index.html": "Leaderboard",
    "ranks.html": "Ranks",
    "cost.html": "Quality and cost",
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


def pages(results: Results, boards: Sequence[Board], *, remade: bool = False) -> Iterator[Page]:
    """Yield the pages of a report, the first page first; `remade`: with tables made again."""
    shown = headline(boards, HEADLINE_SCOPE)
    faults = not_ok(results)
    contents: dict[str, dict[str, Any]] = {
        "index.html": _leaderboard(results, boards),
        "ranks.html": {"diagrams": [(board, figures.ranks(board)) for board in shown]},
        "cost.html": {"boards": shown, "scatter": figures.scatter(shown)},
        "detectors.html": {"quality": detector_quality(results).to_dict("records")},
        "tables.html": {"tables": _tables(results)},
        "faults.html": {
            "faults": faults.to_dict("records"),
            "counts": results.trials["status"].value_counts().to_dict(),
            "n_superseded": results.n_superseded,
            "knows_all": results.knows_all,
        },
        "provenance.html": {"facts": list(_flat(results.provenance))},
    }
    for path, title in PAGES.items():
        common = _common(results, path, title, root="")
        yield Page(path, f"{path}.j2", common | contents[path])
    yield from _table_pages(results, remade=remade)


def _common(results: Results, path: str, title: str, root: str) -> dict[str, Any]:
    suite = results.provenance["suite"]
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
        "detectors": list(trials["detector"].unique()),
        "counts": trials["status"].value_counts().to_dict(),
        "n_trials": len(trials),
    }


def _tables(results: Results) -> list[dict[str, Any]]:
    facts = results.trials.drop_duplicates("table")
    paths = table_paths(list(facts["table"]))
    facts = facts.assign(path=facts["table"].map(paths))
    return [{str(key): value for key, value in row.items()} for row in facts.to_dict("records")]


def _table_pages(results: Results, *, remade: bool) -> Iterator[Page]:
    cells = cells_of(results)
    cells = cells[cells["scope"] == HEADLINE_SCOPE]
    specs = _specs(results)
    for facts in _tables(results):
        name = facts["table"]
        by_detector = cells[cells["table"] == name].groupby("detector", sort=False)
        own = {
            "facts": facts,
            "spec": specs[name].model_dump(mode="json") if name in specs else None,
            "boards": [board(of, HEADLINE_SCOPE, str(detector)) for detector, of in by_detector],
            "bar": figures.bar,
        }
        common = _common(results, facts["path"], name, root="../")
        yield Page(
            facts["path"], "table.html.j2", common | own | _made_again(specs.get(name), facts, asked=remade)
        )


def _made_again(spec: TableSpec | None, facts: dict[str, Any], *, asked: bool) -> dict[str, Any]:
    source = remake(spec, facts) if asked else "the run keeps no rows; --remake makes them again"
    if isinstance(source, str):
        return {"absent": f"Not shown: {source}.", "graph": None, "margins": []}
    return {"absent": "", "graph": graph(source), "margins": margins(source.table)}


def _specs(results: Results) -> dict[str, TableSpec]:
    try:
        suite = resolve(Suite.model_validate(results.provenance["suite"]))
        return {spec.title: spec for spec in suite.tables}
    except ValueError:  # of another version, or of a release that is gone
        return {}


def table_paths(names: Sequence[str]) -> dict[str, str]:
    """Return a page's path for each table: a number, and what of the name every file system takes."""
    return {
        name: f"tables/{i:03d}-{re.sub('[^A-Za-z0-9._-]+', '-', name)[:60]}.html"
        for i, name in enumerate(names, 1)
    }


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
