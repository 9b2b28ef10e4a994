"""One trial, start to finish: prepare a table, fit a detector, explain its rows, score the blame."""

import json
import time
import traceback
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import chdir
from dataclasses import asdict
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from xadbench.datasets import LabelledTable, standardise
from xadbench.datasets.common.errors import InputError, TimeUp, Unsuitable, said
from xadbench.datasets.common.user_code import short_name
from xadbench.evaluation import metrics
from xadbench.evaluation.components.protocols import Detector, Explainer, missing
from xadbench.evaluation.components.registry import identity
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import as_explainer, make_explainer
from xadbench.evaluation.suite.controls import CONTROLS, NETWORK_UNKNOWN, ORACLE, VERSION, oracle_detector
from xadbench.evaluation.suite.spec import Component
from xadbench.evaluation.suite.tables import Source

from .evaluate import Judgement, judge, score_attributions
from .explain import explain, explain_anew, explain_at_cost, new_explainer, warm_up, with_own_detector
from .limits import is_out_of_memory
from .scopes import RANKED, Fitted, Measures

PREPROCESSING_VERSION = 1
REASON_CHARACTERS, TRACEBACK_CHARACTERS = 2_000, 20_000
CULPRITS_UNKNOWN = "the table does not name its culprits; a suite's inject puts in anomalies whose are known"
__all__ = [
    "Fitted",
    "ceiling",
    "components",
    "contained",
    "fit",
    "fit_key",
    "not_ok",
    "run_trial",
    "score_attributions",
    "score_explainer",
    "trial_key",
    "trial_keys",
]


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


def trial_key(source: Source, detector: Component, explainer: Component, measures: Measures = RANKED) -> str:
    """Return the SHA-256 of the canonical JSON of all that determines a trial's result.

    Raises
    ------
    InputError
        If a detector or explainer, or a parameter of one, is unknown.
    """
    return next(trial_keys(source, detector, [explainer], measures))


def trial_keys(
    source: Source, detector: Component, explainers: Iterable[Component], measures: Measures = RANKED
) -> Iterator[str]:
    """Yield the key of each explainer's trial on the same fitted detector; see `trial_key`."""
    shared = _of_fit(source, detector) | {"metrics": measures.identity()}
    for explainer in explainers:
        yield _hash(shared | {"explainer": _identity(explainer, source, CONTROLS, make_explainer)})


def fit_key(source: Source, detector: Component) -> str:
    """Return the SHA-256 of the canonical JSON of all that determines a fitted detector."""
    return _hash(_of_fit(source, detector))


def _of_fit(source: Source, detector: Component) -> dict[str, Any]:
    return {
        "table": source.hash,
        "preprocessing": PREPROCESSING_VERSION,
        "detector": _identity(detector, source, {ORACLE}, make_detector),
        "seed": source.seed,
    }


def components(
    source: Source, detector: Component, explainer: Component, measures: Measures = RANKED
) -> dict[str, Any]:
    """Return, as JSON values, versions and parameters of a trial's detector, explainer and metrics.

    What a trial's key is made of, but for the table.
    """
    return {
        "detector": _made(detector, source, {ORACLE}, make_detector),
        "explainer": _made(explainer, source, CONTROLS, make_explainer),
        "metrics": measures.identity(),
    }


def _made(
    component: Component, source: Source, controls: Container[str], make: Callable[..., Any]
) -> dict[str, Any]:
    if component.name in controls:  # its identity holds the table's whole network
        return {component.name: {"version": VERSION, "params": {}}}
    own: dict[str, Any] = _identity(component, source, controls, make)["made"]
    return own


def _hash(determined_by: dict[str, Any]) -> str:
    return sha256(json.dumps(determined_by, sort_keys=True, default=str).encode()).hexdigest()


def _identity(
    component: Component, source: Source, controls: Container[str], make: Callable[..., Any]
) -> dict[str, Any]:
    if component.name not in controls:
        made = make(component.name, random_state=source.seed, **component.params)
        return {"params": component.params, "made": identity(short_name(component.name), made)}
    if component.params:
        raise InputError(f"control {component.name!r} takes no parameters")
    return {"name": component.name, "network": source.network_json, "version": VERSION}


def run_trial(
    fitted: Fitted, explainer: Component, source: Source, measures: Measures = RANKED
) -> dict[str, Any]:
    """Explain a fitted detector and score the blame; whatever an explainer raises becomes part of the result.

    Returns
    -------
    dict
        `status` ("ok", "skipped", "error", "timeout" or "out-of-memory") with `reason` and
        `traceback`; for ok, `scores` by scope, `scores_by_kind` and `scores_at_k` as of `Judgement`,
        `seconds` and `kernel_units` to fit and explain, behind a warm-up, and the `cost` of both apart, see
        `explain_at_cost`; `explained`, the attributions and their `Judgement`, which are no part of a record.
    """
    if fitted.table.mask is None:
        return not_ok("skipped", CULPRITS_UNKNOWN)
    return contained(lambda: _explain_and_score(fitted, explainer, source, measures))


def contained(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what `work` returns, or a result that says what it raised: one fault must not end a run.

    Paths are relative to the same folder afterwards, wherever a plug-in went.
    """
    try:
        with chdir(Path.cwd()):
            return work()
    except Unsuitable as refusal:
        return not_ok("skipped", str(refusal))
    except TimeUp as error:
        return not_ok("timeout", str(error), traceback.format_exc())
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # whatever a plug-in raises, as Rust's panics do
        status = "out-of-memory" if is_out_of_memory(error) else "error"
        return not_ok(status, said(error), traceback.format_exc())


def not_ok(status: str, reason: str, trace: str | None = None) -> dict[str, Any]:
    """Return the result of a trial without scores; long texts are cut, a traceback at its beginning."""
    short = reason if len(reason) <= REASON_CHARACTERS else f"{reason[:REASON_CHARACTERS]}..."
    end = trace and trace[-TRACEBACK_CHARACTERS:]
    return {"status": status, "reason": _as_unicode(short), "traceback": end and _as_unicode(end)}


def _as_unicode(text: str) -> str:
    """Return a text with lone surrogates, which no file can hold, spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _explain_and_score(
    fitted: Fitted, component: Component, source: Source, measures: Measures
) -> dict[str, Any]:
    rows = fitted.rows_to_explain()
    if component.name in CONTROLS:
        with metrics.metered() as explaining:
            attributions = CONTROLS[component.name](source, rows)
        if attributions is None:
            return not_ok("skipped", NETWORK_UNKNOWN)
        again: dict[str, Any] = {}
        costs = {"explain": explaining}
    else:
        explainer = new_explainer(component, source.seed)
        if reason := missing(explainer, fitted.detector):
            return not_ok("skipped", reason)
        own = with_own_detector(fitted)
        warm_up(component, own, rows)
        attributions, costs = explain_at_cost(explainer, own, rows)
        again = {"explain": explainer.explain, "explain_with_seed": partial(explain_anew, component, own)}
    judgement = judge(attributions, rows, fitted, measures, seed=source.seed, **again)
    return {
        "status": "ok",
        "reason": None,
        "n_explained": len(rows),
        **scored(judgement),
        **_as_record(costs),
        "explained": (attributions, judgement),
    }


def scored(judgement: Judgement) -> dict[str, Any]:
    """Return the scores of a trial; curves where a metric has one, under the name of `scores_at_k`."""
    curves = {"scores_at_k": judgement.mean_curves()} if judgement.curves else {}
    return {"scores": judgement.scores(), "scores_by_kind": judgement.by_kind(), **curves}


def _as_record(costs: dict[str, metrics.Cost]) -> dict[str, Any]:
    """Return the costs of the parts, and all of them in seconds and in units of the kernel."""
    kernel = metrics.kernel_seconds()
    cpu_seconds = sum(cost.cpu_seconds for cost in costs.values())
    return {
        "seconds": sum(cost.seconds for cost in costs.values()),
        "kernel_units": cpu_seconds / kernel,
        "cost": {part: asdict(cost) for part, cost in costs.items()} | {"kernel_seconds": kernel},
    }


def score_explainer(
    explainer: Explainer, detector: Detector, table: LabelledTable, measures: Measures = RANKED
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
    measures
        The metrics: beside those that judge by the culprits, others by name. The agreement between seeds is
        not defined, since the explainer is given as it is.

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
    rows, judged = fitted.rows_to_explain(), as_explainer(explainer)
    attributions = explain(judged, fitted, rows)
    return score_attributions(attributions, rows, fitted, measures, explain=judged.explain)
