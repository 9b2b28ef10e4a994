"""What a report is made of: the records of a run, checked against the grid that its suite asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xadbench.datasets.common.errors import InputError
from xadbench.evaluation.suite.controls import ALWAYS, NONE
from xadbench.evaluation.suite.expand import combinations
from xadbench.evaluation.suite.spec import Suite
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE, SCOPES

from . import store
from .requested import read_asked

VALUE = "adjusted_ndcg_m"  # what the report ranks by
SHOWN = (VALUE, "adjusted_acc_m", "ndcg_m", "acc_m", "chance", "n_informative")
REFERENCES = frozenset({*ALWAYS, NONE})  # lines to compare with, by registered name; not ranked
NOT_RUN = "not run"
NO_ROW = "no explained row can tell blame from a blind guess"
IDENTITY = ["table", "seed", "detector", "explainer"]


@dataclass(frozen=True, eq=False)
class Results:
    """The trials of a run.

    Attributes
    ----------
    provenance
        What `run.json` says.
    trials
        A row a trial, asked for or there: `table`, `seed`, `detector`, `explainer` (labels), `is_reference`,
        `status`, `reason`, `traceback`, facts of the table, quality of the detector, costs.
    scores
        A row each (trial, scope): the identity, `scope` and SHOWN; NaN where a trial has no score.
    by_kind
        As `scores`, a row each (trial, scope of anomalies, kind of anomaly in its table). Trials without a
        record that has scores by kind have NaN, and are not `has_kinds`.
    curves
        A row each (trial, metric): the identity, `scope` (the headline's), `metric`, and `curve`, its mean
        score for each of `set_sizes(d)`.
    records
        Those behind `trials`.
    n_superseded
        Records in the run's folder that are not used: of trials that the suite does not ask for any more, or
        that a later record replaces.
    knows_all
        Whether the suite could be read, so that trials without a record are among the trials.
    """

    provenance: dict[str, Any]
    trials: pd.DataFrame
    scores: pd.DataFrame
    n_superseded: int
    knows_all: bool
    by_kind: pd.DataFrame
    curves: pd.DataFrame
    records: Sequence[store.Record]


def read_results(run: Path) -> Results:
    """Read a run, finished or not.

    Raises
    ------
    InputError
        If the folder holds no run, or no record.
    """
    provenance = store.read_json(run / "run.json")
    if provenance is None or "suite" not in provenance:
        raise InputError(f"{run}: no run.json of a run; give the folder that `xadbench run` wrote")
    records, n_others = read_asked(run)
    if not records:
        raise InputError(f"{run / 'trials'}: no record of a trial yet")
    return as_results(provenance, records, n_others)


def as_results(provenance: dict[str, Any], records: Sequence[store.Record], n_others: int = 0) -> Results:
    """Return the results of records, of which later ones replace earlier ones of the same trial.

    `n_others` of the run's records are not among them.
    """
    everything = pd.DataFrame([_trial(record) for record in records])
    trials = everything.drop_duplicates(IDENTITY, keep="last")
    kept = [records[i] for i in trials.index]
    asked = _suite(provenance["suite"])
    absent = pd.DataFrame() if asked is None else _not_run(asked, trials)
    trials = pd.concat([trials, absent], ignore_index=True) if len(absent) else trials.reset_index(drop=True)
    scores = _by_scope(kept, trials)
    by_kind, curves = (
        _by_kind(kept, trials),
        pd.DataFrame([row for record in kept for row in _curves(record)]),
    )
    n_superseded = n_others + len(everything) - len(kept)
    return Results(provenance, trials, scores, n_superseded, asked is not None, by_kind, curves, kept)


def _identity(record: store.Record) -> dict[str, Any]:
    return {
        "table": record["table"]["label"],
        "seed": record["seed"],
        "detector": record["detector"]["label"],
        "explainer": record["explainer"]["label"],
    }


def _trial(record: store.Record) -> dict[str, Any]:
    table, detector = record["table"], record["detector"]
    return {
        **_identity(record),
        "key": record["key"],
        "kept": tuple(record.get("kept", ())),
        "is_reference": record["explainer"]["name"] in REFERENCES,
        "status": record["status"],
        "reason": record.get("reason"),
        "traceback": record.get("traceback"),
        **{name: table.get(name) for name in ("content_hash", *FACTS)},
        **{name: _number(detector.get("quality", {}).get(name)) for name in QUALITY},
        "fit_seconds": _number(detector.get("fit_seconds")),
        "seconds": _number(record.get("seconds")),
        "kernel_units": _number(record.get("kernel_units")),
        **_costs(record.get("cost", {})),
        "n_explained": _number(record.get("n_explained")),
    }


COSTS = ("fit_cpu_seconds", "explain_cpu_seconds", "rows_scored", "peak_bytes")
FACTS = ("origin", "n_rows", "n_features", "n_anomalies")
QUALITY = ("auc_roc", "average_precision", "f1_at_n", "oracle_auc_roc")


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _costs(cost: dict[str, Any]) -> dict[str, float]:
    """Return COSTS; NaN where they are not known."""
    fit, explain = (
        {name: _number(cost.get(part, {}).get(name)) for name in ("cpu_seconds", "rows_scored", "peak_bytes")}
        for part in ("fit", "explain")
    )
    return {
        "fit_cpu_seconds": fit["cpu_seconds"],
        "explain_cpu_seconds": explain["cpu_seconds"],
        "rows_scored": fit["rows_scored"] + explain["rows_scored"],
        "peak_bytes": float(np.maximum(fit["peak_bytes"], explain["peak_bytes"])),  # NaN of either, as above
    }


def _by_scope(records: Sequence[store.Record], trials: pd.DataFrame) -> pd.DataFrame:
    """Return Results.scores: every trial with each scope."""
    every = trials[IDENTITY].merge(pd.DataFrame({"scope": SCOPES}), how="cross")
    rows = [row for record in records for row in _scores(record)]
    if not rows:
        return every.assign(**dict.fromkeys(SHOWN, float("nan")))
    return every.merge(pd.DataFrame(rows), how="left", on=[*IDENTITY, "scope"])


def _scores(record: store.Record) -> Iterator[dict[str, Any]]:
    for scope, values in record.get("scores", {}).items():
        yield {**_identity(record), "scope": scope} | {name: _number(values.get(name)) for name in SHOWN}


def _by_kind(records: Sequence[store.Record], trials: pd.DataFrame) -> pd.DataFrame:
    """Return Results.by_kind: every trial of a table with each kind that some record has of that table."""
    rows = [row for record in records for row in _kinds(record)]
    if not rows:
        return pd.DataFrame(columns=[*IDENTITY, "scope", "kind", *SHOWN, "has_kinds"])
    known = pd.DataFrame(rows)
    places = known[["table", "scope", "kind"]].drop_duplicates()
    every = trials[IDENTITY].merge(places, on="table")
    found = every.merge(known, how="left", on=[*IDENTITY, "scope", "kind"])
    return found.assign(has_kinds=found["has_kinds"].eq(True))  # noqa: FBT003  # NaN where there is no record


def _kinds(record: store.Record) -> Iterator[dict[str, Any]]:
    for scope, kinds in record.get("scores_by_kind", {}).items():
        for kind, values in kinds.items():
            yield {**_identity(record), "scope": scope, "kind": kind, "has_kinds": True} | {
                name: _number(values.get(name)) for name in SHOWN
            }


def _curves(record: store.Record) -> Iterator[dict[str, Any]]:
    for metric, curve in record.get("scores_at_k", {}).get(HEADLINE_SCOPE, {}).items():
        values = [_number(value) for value in curve]
        yield {**_identity(record), "scope": HEADLINE_SCOPE, "metric": metric, "curve": values}


def _suite(values: dict[str, Any]) -> Suite | None:
    """Return the suite of a run; None for one that cannot be read today: only what it did is known.

    One without `controls` is older and asked for other ones: of these, those count that have records.
    """
    try:
        suite = Suite.model_validate({"controls": False} | values)
        next(combinations(suite))
    except ValueError:
        return None
    return suite


def _not_run(suite: Suite, trials: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each trial that the suite asks for and that has no record."""
    there = set(trials[IDENTITY].itertuples(index=False, name=None))
    of_table = trials.drop_duplicates("table").set_index("table")[
        ["origin", "n_rows", "n_features", "n_anomalies"]
    ]
    references = dict(zip(trials["explainer"], trials["is_reference"], strict=True))
    rows = [
        dict(zip(IDENTITY, asked, strict=True))
        | {"status": NOT_RUN, "reason": "the run has not come to it", "is_reference": references[asked[3]]}
        | (of_table.loc[asked[0]].to_dict() if asked[0] in of_table.index else {})
        for asked in _asked_for(suite, references)
        if asked not in there
    ]
    return pd.DataFrame(rows)


def _asked_for(asked: Suite, known: dict[str, bool]) -> Iterator[tuple[str, int, str, str]]:
    for table, seed, detector, explainers in combinations(asked):
        for explainer in explainers:
            known.setdefault(explainer.label, explainer.name in REFERENCES)
            yield table.title, seed, detector.label, explainer.label
