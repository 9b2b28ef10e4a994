"""The pages of a report on one data set each: facts, leaderboards, graph, margins and explained examples."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from xadbench.evaluation.results.ranking import Board, board, cells_of
from xadbench.evaluation.results.run_results import Results
from xadbench.evaluation.results.table_summary import TableSummary, portray, read_summary
from xadbench.evaluation.suite.expand import resolve, with_controls
from xadbench.evaluation.suite.spec import Suite
from xadbench.evaluation.suite.tables import Source
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE

from . import figures
from .drawings import graph, margins
from .examples import HIDDEN, Attributions, examples, saved_attributions
from .remake import explain_again, remake

NO_SUMMARY = "an older run, which saved nothing of its tables; --recompute makes them again"
NO_TABLE = "no trial has come to have this table"
NO_ATTRIBUTIONS = "the run saved no attributions; run it with --save attributions, or report with --recompute"


@dataclass(frozen=True, eq=False)
class About:
    """What the pages of tables are made of: the run's folder, results and suite, whether to make again."""

    run: Path
    results: Results
    suite: Suite | None
    remade: bool


def facts_of(results: Results) -> list[dict[str, Any]]:
    """Return the facts of each table, of its first trial that has it, and the `path` of its page."""
    known = results.trials.sort_values("content_hash", key=pd.isna, kind="stable")
    facts = known.drop_duplicates("table").sort_index()
    facts["content_hash"] = facts["content_hash"].astype(object).where(facts["content_hash"].notna(), None)
    paths = table_paths(list(facts["table"]))
    facts = facts.assign(path=facts["table"].map(paths))
    return [{str(key): value for key, value in row.items()} for row in facts.to_dict("records")]


def table_paths(names: Sequence[str]) -> dict[str, str]:
    """Return a page's path for each table: a number, and what of the name every file system takes."""
    return {
        name: f"tables/{i:03d}-{re.sub('[^A-Za-z0-9._-]+', '-', name)[:60]}.html"
        for i, name in enumerate(names, 1)
    }


def table_pages(
    run: Path, results: Results, *, remade: bool
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the facts of each table and what its page shows; `remade`: with what the run did not keep."""
    about = About(run, results, _suite(results), remade)
    specs = {} if about.suite is None else {spec.title: spec for spec in about.suite.tables}
    cells = cells_of(results)
    cells = cells[cells["scope"] == HEADLINE_SCOPE]
    for facts in facts_of(results):
        name = facts["table"]
        by_detector = cells[cells["table"] == name].groupby("detector", sort=False)
        boards = [board(of, HEADLINE_SCOPE, str(detector)) for detector, of in by_detector]
        source: Source | str = NO_SUMMARY
        if facts["content_hash"] is None:
            source = NO_TABLE
        elif remade:
            source = remake(specs.get(name), facts)
        yield (
            facts,
            {
                "facts": facts,
                "spec": specs[name].model_dump(mode="json") if name in specs else None,
                "boards": boards,
                "bar": figures.bar,
                **_shown(about, facts, boards, source),
            },
        )


def _suite(results: Results) -> Suite | None:
    try:
        return resolve(Suite.model_validate(results.provenance.suite))
    except ValueError:  # of another version, or of a release that is gone
        return None


def _shown(
    about: About, facts: dict[str, Any], boards: Sequence[Board], source: Source | str
) -> dict[str, Any]:
    """Return graph, margins and examples of a table; in `absent` and `no_examples` why they are not there."""
    summary = _summary(about.run, facts, source)
    if summary is None:
        return {
            "absent": f"Not shown: {source}.",
            "graph": None,
            "margins": [],
            "leaks": None,
            **_no_examples(str(source)),
        }
    return {
        "absent": "",
        "graph": graph(summary),
        "margins": margins(summary),
        "leaks": summary.leaks,
        **_examples(about, summary, facts, boards, source),
    }


def _summary(run: Path, facts: dict[str, Any], source: Source | str) -> TableSummary | None:
    kept = read_summary(run, str(facts["content_hash"]))
    if kept is None and not isinstance(source, str):
        return portray(source)
    return kept


def _no_examples(reason: str) -> dict[str, Any]:
    return {"examples": [], "explained": "", "no_examples": f"Not shown: {reason}."}


def _examples(
    about: About, summary: TableSummary, facts: dict[str, Any], boards: Sequence[Board], source: Source | str
) -> dict[str, Any]:
    if not summary.examples:
        return _no_examples("nobody knows which features are responsible")
    for detector in _best_first(boards):
        attributions = _attributions(about, summary, facts, detector, source)
        if attributions:
            by_rank = [*detector.ranked.index, *detector.references.index]
            ordered = {name: attributions[name] for name in [*by_rank, *attributions] if name in attributions}
            return {
                "examples": examples(summary, ordered),
                "explained": detector.detector,
                "no_examples": "",
            }
    return _no_examples(source if about.remade and isinstance(source, str) else NO_ATTRIBUTIONS)


def _best_first(boards: Sequence[Board]) -> list[Board]:
    """Return the boards by the detectors' AUC-ROC: there is most to explain where most is found."""
    return sorted(boards, key=lambda one: -one.auc_roc if one.auc_roc == one.auc_roc else 1.0)


def _attributions(
    about: About, summary: TableSummary, facts: dict[str, Any], detector: Board, source: Source | str
) -> Attributions:
    trials = about.results.trials
    own = trials[
        (trials["table"] == facts["table"])
        & (trials["seed"] == facts["seed"])
        & (trials["detector"] == detector.detector)
        & (trials["status"] == "ok")
    ]
    kept = saved_attributions(about.run, own)
    if kept or isinstance(source, str) or about.suite is None:
        return kept
    return _explained_again(about, about.suite, summary, own, source)


def _explained_again(
    about: About, suite: Suite, summary: TableSummary, trials: pd.DataFrame, source: Source
) -> Attributions:
    requested = set(trials["explainer"]) - HIDDEN
    explainers = [one for one in with_controls(suite) if one.label in requested]
    detectors = [one for one in suite.detectors if one.label in set(trials["detector"])]
    if not detectors:
        return {}
    return explain_again(about.run, source, summary, detectors[0], explainers)
