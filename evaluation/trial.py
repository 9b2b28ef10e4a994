"""One trial, start to finish: prepare a table, fit a detector, explain its rows, score the blame."""

import json
import time
import traceback
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np

from xadbench.datasets import LabelledTable, standardise
from xadbench.datasets.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.errors import InputError
from xadbench.evaluation import metrics
from xadbench.evaluation.controls import CONTROLS, NETWORK_UNKNOWN, ORACLE, VERSION, oracle_detector
from xadbench.evaluation.detectors import Detector, make_detector
from xadbench.evaluation.explainers import Explainer, as_explainer, make_explainer, missing
from xadbench.evaluation.registry import identity
from xadbench.evaluation.source import Source
from xadbench.evaluation.suite import Component

SCOPES = ("anomalies", "detected", "flagged")
HEADLINE_SCOPE = "detected"
PREPROCESSING_VERSION = 1


@dataclass(frozen=True, eq=False)
class Fitted:
    """A detector fitted to a prepared table, and what it says of the table's rows."""

    detector: Detector
    table: LabelledTable
    scores: FloatArray
    seconds: float

    @property
    def flagged(self) -> IntArray:
        """The n highest-scored rows, n the true number of anomalies; (n,) row numbers, best first."""
        order: IntArray = np.argsort(-self.scores, kind="stable")
        return order[: int(self.table.y.sum())]

    def rows_to_explain(self) -> IntArray:
        """Return the rows that some scope needs: all anomalies and all flagged rows."""
        return np.union1d(np.flatnonzero(self.table.y), self.flagged)

    def quality(self) -> dict[str, float]:
        """Return the detector's AUC-ROC, average precision and F1 at n."""
        return {name: function(self.scores, self.table.y) for name, function in metrics.DETECTION.items()}


def fit(source: Source, component: Component) -> Fitted | None:
    """Fit a detector to all rows of the standardised table, without its labels.

    None for the oracle where the network is not known.
    """
    table = standardise(source.table)
    detector = _detector(source, component)
    if detector is None:
        return None
    start = time.perf_counter()
    detector.fit(table.X)
    seconds = time.perf_counter() - start
    return Fitted(detector, table, np.asarray(detector.decision_function(table.X)), seconds)


def _detector(source: Source, component: Component) -> Detector | None:
    if component.name == ORACLE:
        return oracle_detector(source)
    return make_detector(component.name, random_state=source.seed, **component.params)


@lru_cache(maxsize=1)  # the detectors of a table come one after the other
def ceiling(source: Source) -> dict[str, float]:
    """Return the AUC-ROC that no detector can beat; NaN where the network is not known."""
    fitted = fit(source, Component(name=ORACLE))
    return {"oracle_auc_roc": float("nan") if fitted is None else fitted.quality()["auc_roc"]}


def trial_key(source: Source, detector: Component, explainer: Component) -> str:
    """Return the SHA-256 of the canonical JSON of all that determines a trial's result.

    Raises
    ------
    InputError
        If a detector or explainer, or a parameter of one, is unknown.
    """
    determined_by = {
        "table": source.hash,
        "preprocessing": PREPROCESSING_VERSION,
        "detector": _identity(detector, source, {ORACLE}, make_detector),
        "explainer": _identity(explainer, source, CONTROLS, make_explainer),
        "metrics": {metric.name: metric.version for metric in metrics.METRICS.values()},
        "seed": source.seed,
    }
    return sha256(json.dumps(determined_by, sort_keys=True, default=str).encode()).hexdigest()


def _identity(
    component: Component, source: Source, controls: Container[str], make: Callable[..., Any]
) -> dict[str, Any]:
    if component.name not in controls:
        made = make(component.name, random_state=source.seed, **component.params)
        return {"params": component.params, "made": identity(component.name, made)}
    if component.params:
        raise InputError(f"control {component.name!r} takes no parameters")
    return {"name": component.name, "network": source.network_json, "version": VERSION}


def run_trial(fitted: Fitted, explainer: Component, source: Source) -> dict[str, Any]:
    """Explain a fitted detector and score the blame; whatever an explainer raises becomes part of the result.

    Returns
    -------
    dict
        `status` ("ok", "skipped" or "error") with `reason` and `traceback`; for ok, `scores` by scope and
        `seconds`.
    """
    if fitted.table.mask is None:
        return not_ok("skipped", "the table does not name its culprits")
    return contained(lambda: _explain_and_score(fitted, explainer, source))


def contained(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what `work` returns, or an error result if it raises: one fault must not end a run."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001  # whatever a plug-in raises
        return not_ok("error", f"{type(error).__name__}: {error}", traceback.format_exc())


def not_ok(status: str, reason: str, trace: str | None = None) -> dict[str, Any]:
    """Return the result of a trial without scores."""
    return {"status": status, "reason": reason, "traceback": trace}


def _explain_and_score(fitted: Fitted, component: Component, source: Source) -> dict[str, Any]:
    rows = fitted.rows_to_explain()
    start = time.perf_counter()
    if component.name in CONTROLS:
        attributions = CONTROLS[component.name](source, rows)
        if attributions is None:
            return not_ok("skipped", NETWORK_UNKNOWN)
    else:
        explainer = make_explainer(component.name, random_state=source.seed, **component.params)
        if reason := missing(explainer, fitted.detector):
            return not_ok("skipped", reason)
        attributions = explain(explainer, fitted, rows)
    seconds = time.perf_counter() - start
    scores = score_attributions(attributions, rows, fitted)
    return {"status": "ok", "reason": None, "seconds": seconds, "n_explained": len(rows), "scores": scores}


def score_explainer(
    explainer: Explainer, detector: Detector, table: LabelledTable
) -> dict[str, dict[str, float | int]]:
    """Return an explainer's scores on a fitted detector and the table that it was fitted to.

    Parameters
    ----------
    explainer
        An object with `fit` and `explain`, or a function of (detector, background, X).
    detector
        Fitted to `table.X`.
    table
        As the detector saw it, with a mask.

    Returns
    -------
    dict
        The mean scores of each scope, as `score_attributions` gives them.

    Raises
    ------
    InputError
        If the table does not name its culprits.
    """
    if table.mask is None:
        raise InputError("the table does not name its culprits, so no explainer can be scored on it")
    fitted = Fitted(detector, table, np.asarray(detector.decision_function(table.X)), float("nan"))
    rows = fitted.rows_to_explain()
    return score_attributions(explain(as_explainer(explainer), fitted, rows), rows, fitted)


def explain(explainer: Explainer, fitted: Fitted, rows: IntArray) -> FloatArray:
    """Return the attributions of the given rows of the prepared table, (rows, d), checked.

    Raises
    ------
    ValueError
        If the explainer returns another shape, or values that are NaN or infinite.
    """
    X = fitted.table.X
    attributions = np.asarray(explainer.fit(fitted.detector, background=X).explain(X[rows]), dtype=float)
    if attributions.shape != (len(rows), fitted.table.n_features):
        raise ValueError(f"attributions have shape {attributions.shape}, expected {(len(rows), X.shape[1])}")
    if bad := int((~np.isfinite(attributions)).sum()):
        raise ValueError(f"{bad} attribution(s) are NaN or infinite")
    return attributions


def score_attributions(
    attributions: FloatArray, rows: IntArray, fitted: Fitted
) -> dict[str, dict[str, float | int]]:
    """Return the mean scores of each scope.

    Parameters
    ----------
    attributions : (r, d) float64
    rows : (r,) int
        The table's rows they explain: at least all anomalies and all flagged rows.

    Returns
    -------
    dict
        For each scope: `n_rows`; `chance`, the mean chance level; each metric's mean; `n_informative`, the
        rows with fewer culprits than features, or none; and each metric's chance-adjusted mean over those.
        A false positive counts 0 everywhere. NaN where a scope has no row.
    """
    mask = fitted.table.mask[rows]  # type: ignore[index]  # only called on tables with a mask
    is_flagged: BoolArray = np.isin(rows, fitted.flagged)
    is_anomaly: BoolArray = np.count_nonzero(mask, axis=1) > 0
    chosen = {"anomalies": is_anomaly, "detected": is_anomaly & is_flagged, "flagged": is_flagged}
    per_row = {m.name: m.per_row(attributions, mask) for m in metrics.METRICS.values()}
    return {scope: _scope_scores(per_row, mask, chosen[scope]) for scope in SCOPES}


def _scope_scores(
    per_row: Mapping[str, FloatArray], mask: BoolArray, chosen: BoolArray
) -> dict[str, float | int]:
    chance = metrics.chance_level(mask)
    informative = chosen & (chance < 1)
    scores: dict[str, float | int] = {
        "n_rows": int(chosen.sum()),
        "n_informative": int(informative.sum()),
        "chance": _mean(chance[chosen]),
    }
    for name, values in per_row.items():
        adjusted = metrics.adjusted(values, mask)
        scores[name] = _mean(np.nan_to_num(values[chosen], nan=0.0))
        scores[f"adjusted_{name}"] = _mean(np.nan_to_num(adjusted[informative], nan=0.0))
    return scores


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else float("nan")
