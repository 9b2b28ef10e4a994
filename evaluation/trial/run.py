"""One trial of a fitted detector: explain its rows, score the attributions, and say what it cost."""

from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from xadbench.datasets import LabelledTable
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.table import check_table
from xadbench.evaluation import metrics
from xadbench.evaluation.components.protocols import Detector, missing
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import ExplainerObject, as_explainer, make_explainer
from xadbench.evaluation.suite.controls import CONTROLS, NETWORK_UNKNOWN, NONE
from xadbench.evaluation.suite.spec import Component
from xadbench.evaluation.suite.tables import Source

from .evaluate import Evaluation, evaluate, score_attributions
from .explain import explain, explain_anew, explain_at_cost, new_explainer, warm_up, with_own_detector
from .fit import Fitted
from .outcome import contained, not_ok
from .scopes import RANKED, Measures

NO_GROUND_TRUTH = "the table has no ground truth; anomalies injected by a suite's `inject` have one"


def run_trial(
    fitted: Fitted, explainer: Component, source: Source, measures: Measures = RANKED
) -> dict[str, Any]:
    """Explain a fitted detector and score the attributions; an explainer's error becomes part of the result.

    On a table that has no ground truth, metrics that evaluate by them are NaN. Where there is no other,
    the trial is skipped, unless it is of the control `none`; so are the other controls, which know the truth.

    Returns
    -------
    dict
        `status` ("ok", "skipped", "error", "timeout" or "out-of-memory") with `reason` and `traceback`; for
        ok, `scores` by scope, `row_scores`, `scores_by_kind` and `scores_at_k` as of `Evaluation`, `seconds`
        and `normalised_time` to fit and explain, behind a warm-up, and the `cost` of both apart, see
        `explain_at_cost`; `explained`, the attributions and their `Evaluation`, which are no part of a
        record.
    """
    if fitted.table.mask is None and explainer.name != NONE:
        knows_truth = explainer.name in CONTROLS
        if knows_truth or all(metric.needs_ground_truth for metric in measures.chosen.values()):
            return not_ok("skipped", NO_GROUND_TRUTH)
    return contained(lambda: _explain_and_score(fitted, explainer, source, measures))


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
    evaluation = evaluate(attributions, rows, fitted, measures, seed=source.seed, **again)
    return {
        "status": "ok",
        "reason": None,
        "n_explained": len(rows),
        **scored(evaluation),
        **_as_record(costs),
        "explained": (attributions, evaluation),
    }


def scored(evaluation: Evaluation) -> dict[str, Any]:
    """Return the scores of a trial; curves where a metric has one, under the name of `scores_at_k`."""
    curves = {"scores_at_k": evaluation.mean_curves()} if evaluation.curves else {}
    of_rows = {"row_scores": found} if (found := evaluation.row_scores()) else {}
    return {"scores": evaluation.scores(), "scores_by_kind": evaluation.by_kind(), **of_rows, **curves}


def _as_record(costs: dict[str, metrics.Cost]) -> dict[str, Any]:
    """Return the costs of the parts, and all of them in seconds and in units of the kernel."""
    kernel = metrics.matmul_seconds()
    cpu_seconds = sum(cost.cpu_seconds for cost in costs.values())
    return {
        "seconds": sum(cost.seconds for cost in costs.values()),
        "normalised_time": cpu_seconds / kernel,
        "cost": {part: asdict(cost) for part, cost in costs.items()} | {"matmul_seconds": kernel},
    }


@one_thread()
def score_explainer(
    explainer: ExplainerObject | str,
    detector: Detector | str,
    table: LabelledTable,
    measures: Measures = RANKED,
) -> pd.DataFrame:
    """Return an explainer's scores on a fitted detector and the table that it was fitted to.

    Parameters
    ----------
    explainer
        A name as `make_explainer` takes it, such as "z_score"; a class or an object with `fit` and `explain`;
        or a function of (detector, background, X).
    detector
        Fitted to `table.X`; or a name as `make_detector` takes it, such as "iforest", to be fitted to these.
        What is made from a name or a class has the `random_state` 0.
    table
        As the detector saw it, see `standardise`, with a mask.
    measures
        The metrics: beside those that use the ground truth, others by name. The agreement between seeds is
        not defined, since the explainer is given as it is.

    Returns
    -------
    DataFrame
        A column for each scope, a row for each mean score, as `score_attributions` gives them.

    Raises
    ------
    InputError
        If the table has no ground truth, or is no `LabelledTable`; for an unknown name; or if the explainer
        needs what the detector lacks.

    Examples
    --------
    >>> from xadbench import generate, score_explainer
    >>> from xadbench.datasets import standardise
    >>> table = standardise(generate("table2-d10-5", seed=0))
    >>> scores = score_explainer("z_score", "iforest", table)
    >>> bool(scores.loc["adjusted_ndcg_m", "detected"] > 0.5)
    True
    """
    check_table(table, "table")
    if table.mask is None:
        raise InputError("the table has no ground truth, so no explainer can be scored on it")
    made = (
        make_explainer(explainer, random_state=0)
        if isinstance(explainer, str | type)
        else as_explainer(explainer)
    )
    scorer = make_detector(detector, random_state=0).fit(table.X) if isinstance(detector, str) else detector
    if not callable(getattr(scorer, "decision_function", None)):
        raise InputError(f"detector is of type {type(scorer).__name__}; expected one with decision_function")
    if reason := missing(made, scorer):
        raise InputError(reason)
    fitted = Fitted(scorer, table, np.asarray(scorer.decision_function(table.X)), float("nan"))
    rows = fitted.rows_to_explain()
    attributions = explain(made, fitted, rows)
    return pd.DataFrame(score_attributions(attributions, rows, fitted, measures, explain=made.explain))
