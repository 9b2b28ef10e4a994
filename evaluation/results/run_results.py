"""What a report is made of: the records of a run, checked against the grid that its suite asked for."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xadbench.datasets.common.errors import InputError
from xadbench.evaluation.suite.expand import combinations
from xadbench.evaluation.suite.spec import Suite
from xadbench.evaluation.trial.scopes import HEADLINE_SCOPE, SCOPES

from .frame import IDENTITY, REFERENCES, VALUE, ResultFrame, flatten
from .provenance import RunDescription, read_description
from .record import RECORD_VERSION, TrialRecord, as_trial
from .reference_results import SHIPPED, shipped
from .requested import read_requested

SHOWN = (VALUE, "adjusted_acc_m", "ndcg_m", "acc_m", "chance", "n_informative")
NOT_RUN = "not run"
NO_ROW = "no explained row can tell attributions from a blind guess"
COSTS = ("fit_cpu_seconds", "explain_cpu_seconds", "rows_scored", "peak_bytes")


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
    frame
        The tidy frame behind these.
    n_superseded
        Records in the run's folder that are not used: of trials that the suite does not ask for any more, or
        that a later record replaces.
    knows_all
        Whether the suite could be read, so that trials without a record are among the trials.
    """

    provenance: RunDescription
    trials: pd.DataFrame
    scores: pd.DataFrame
    n_superseded: int
    knows_all: bool
    by_kind: pd.DataFrame
    curves: pd.DataFrame
    frame: ResultFrame


def read_results(run: Path) -> Results:
    """Read a run, finished or not.

    Raises
    ------
    InputError
        If the folder holds no run, or no record.
    """
    provenance = read_description(run)
    if provenance is None or provenance.suite is None:
        raise InputError(f"{run}: no run.json of a run; give the folder that `xadbench run` wrote")
    frame, n_others = read_requested(run)
    if not len(frame.trials):
        raise InputError(f"{run / 'trials'}: no record of a trial yet")
    return _results(provenance, frame, n_others)


def results_of(run: str | os.PathLike[str] | Iterable[TrialRecord | dict[str, Any]]) -> Results:
    """Return the results of a run: of its folder, of `shipped:SUITE`, or of records as `run_suite` returns.

    Raises
    ------
    InputError
        If the folder holds no run, or no record; if no results of the suite are shipped; or if there are no
        records, or one is not that of a trial.
    """
    if isinstance(run, str | os.PathLike):
        name = os.fspath(run)
        if not name.startswith(SHIPPED):
            return read_results(Path(name))
        records = shipped(name.removeprefix(SHIPPED))
        about = {"version": RECORD_VERSION, "suite": {}} | (records[0].origin or {})
        return as_results(RunDescription.of(about, name), records)
    given = [as_trial(one, f"record {i} is not that of a trial") for i, one in enumerate(run)]
    if not given:
        raise InputError("no records; expected those of at least one trial")
    return as_results(RunDescription(suite={}), given)


def as_results(provenance: RunDescription, records: Sequence[TrialRecord]) -> Results:
    """Return the results of records, of which later ones replace earlier ones of the same trial."""
    return _results(provenance, flatten(records), 0)


def _results(provenance: RunDescription, every: ResultFrame, n_others: int) -> Results:
    frame = every.latest()
    trials, requested = _trials(frame.trials), _suite(provenance.suite or {})
    absent = pd.DataFrame() if requested is None else _not_run(requested, trials)
    n_superseded = n_others + len(every.trials) - len(trials)
    trials = pd.concat([trials, absent], ignore_index=True) if len(absent) else trials
    return Results(
        provenance=provenance,
        trials=trials,
        scores=_by_scope(frame, trials),
        n_superseded=n_superseded,
        knows_all=requested is not None,
        by_kind=_by_kind(frame, trials),
        curves=_curves(frame),
        frame=frame,
    )


def _trials(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the trials of a frame with what a report needs beyond it; COSTS are NaN where not known."""
    fit, explain = (trials.filter(like=f"cost_{part}_") for part in ("fit", "explain"))
    return trials.assign(
        is_reference=trials["explainer_name"].isin(REFERENCES),
        artifacts=trials["artifacts"].fillna("").map(lambda names: tuple(names.split())),
        fit_cpu_seconds=fit["cost_fit_cpu_seconds"],
        explain_cpu_seconds=explain["cost_explain_cpu_seconds"],
        rows_scored=fit["cost_fit_rows_scored"] + explain["cost_explain_rows_scored"],
        peak_bytes=np.maximum(
            fit["cost_fit_peak_bytes"], explain["cost_explain_peak_bytes"]
        ),  # NaN of either
    )


def _by_scope(frame: ResultFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Return Results.scores: every trial with each scope."""
    every = trials[IDENTITY].merge(pd.DataFrame({"scope": SCOPES}), how="cross")
    return every.merge(frame.wide(frame.means(), SHOWN, ["scope"]), how="left", on=[*IDENTITY, "scope"])


def _by_kind(frame: ResultFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Return Results.by_kind: every trial with the scopes and kinds that any trial on its table has."""
    known = frame.wide(frame.scores[frame.scores["kind"].notna()], SHOWN, ["scope", "kind"])
    known["has_kinds"] = True
    places = known[["table", "scope", "kind"]].drop_duplicates()
    every = trials[IDENTITY].merge(places, on="table")
    found = every.merge(known, how="left", on=[*IDENTITY, "scope", "kind"])
    return found.assign(has_kinds=found["has_kinds"].eq(True))  # noqa: FBT003  # NaN where there is no record


def _curves(frame: ResultFrame) -> pd.DataFrame:
    values = frame.scores
    steps = values[(values["step"] >= 0) & (values["scope"] == HEADLINE_SCOPE)]
    curves = steps.groupby(["trial", "metric"], observed=True, sort=False)["value"].agg(list).reset_index()
    own = frame.trials[IDENTITY].iloc[curves["trial"]].reset_index(drop=True)
    return own.assign(scope=HEADLINE_SCOPE, metric=curves["metric"].astype(object), curve=curves["value"])


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
        dict(zip(IDENTITY, requested, strict=True))
        | {
            "status": NOT_RUN,
            "reason": "the run has not come to it",
            "is_reference": references[requested[3]],
        }
        | (of_table.loc[requested[0]].to_dict() if requested[0] in of_table.index else {})
        for requested in _requested_trials(suite, references)
        if requested not in there
    ]
    return pd.DataFrame(rows)


def _requested_trials(requested: Suite, known: dict[str, bool]) -> Iterator[tuple[str, int, str, str]]:
    for table, seed, detector, explainers in combinations(requested):
        for explainer in explainers:
            known.setdefault(explainer.label, explainer.name in REFERENCES)
            yield table.title, seed, detector.label, explainer.label
