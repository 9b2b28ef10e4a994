"""What the paper measures of an explainer, on the rows that it explains: the n highest-scored."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.evaluation import metrics
from xadbench.evaluation.trial.evaluate import score_attributions
from xadbench.evaluation.trial.fit import Fitted
from xadbench.evaluation.trial.scopes import RANKED, Measures

MOST_SIZES = 15  # k up to 31


@dataclass(frozen=True)
class Measure:
    """What is computed of the attributions (r, d) of rows (r,) of a fitted table, with a seed.

    `version` is raised when its values change by its own doing; `metrics`, what it computes, have versions of
    their own.
    """

    name: str
    version: int
    compute: Callable[[FloatArray, IntArray, Fitted, int], dict[str, Any]]
    metrics: Measures = RANKED


def blame(attributions: FloatArray, rows: IntArray, fitted: Fitted, seed: int) -> dict[str, Any]:  # noqa: ARG001  # has no randomness
    """Return how well the culprits are blamed, as published and adjusted for chance.

    `ndcg_m` is over all flagged rows, false positives as 0; `acc_m` and `ndcg_m_detected` over the anomalies
    among them. The chance of `ndcg_m_detected` is that of `acc_m`. The adjusted ones are over those anomalies
    of which some features are to blame and others not.
    """
    scores = score_attributions(attributions, rows, fitted)
    flagged, detected = scores["flagged"], scores["detected"]
    adjusted = {name: detected[name] for name in ("adjusted_ndcg_m", "adjusted_acc_m", "n_informative")}
    return {
        "ndcg_m": flagged["ndcg_m"],
        "ndcg_m_chance": flagged["chance"],
        "ndcg_m_detected": detected["ndcg_m"],
        "acc_m": detected["acc_m"],
        "acc_m_chance": detected["chance"],
        "n_detected": detected["n_rows"],
        **adjusted,
    }


def forecast(attributions: FloatArray, rows: IntArray, fitted: Fitted, seed: int) -> dict[str, Any]:
    """Return how well blame forecasts what changes of the row do to the score.

    `infidelity`, with Gaussian changes of 0.01; `infidelity_rescaled`, where each row's blame has the factor
    that serves it best; `infidelity_of_nothing`, that of blaming no feature: the mean squared change itself;
    and `faithfulness`, a list of `k`, `mean` over the rows where it is defined, and `undefined`, their
    number. The baseline is the mean of the features.
    """
    X, score = fitted.table.X[rows], fitted.detector.decision_function
    options: dict[str, Any] = {"seed": seed}
    nothing = np.zeros_like(attributions)
    return {
        "infidelity": _mean(metrics.infidelity(attributions, X, score, **options)),
        "infidelity_rescaled": _mean(metrics.infidelity(attributions, X, score, normalise=True, **options)),
        "infidelity_of_nothing": _mean(metrics.infidelity(nothing, X, score, **options)),
        "faithfulness": [
            {"k": k, "mean": _mean(values), "undefined": int(np.isnan(values).sum())}
            for k in sizes(X.shape[1])
            for values in [
                metrics.faithfulness_at_k(
                    attributions, X, score, k=k, baseline=fitted.table.X.mean(axis=0), **options
                )
            ]
        ],
    }


def sizes(n_features: int) -> list[int]:
    """Return the k of the curve: 3, 5, 7, ... as long as there is more than one subset of that size."""
    return list(range(3, n_features, 2))[:MOST_SIZES]


def _mean(values: FloatArray) -> float:
    told = values[~np.isnan(values)]
    return float(told.mean()) if len(told) else float("nan")


FORECASTS = Measures(("infidelity", "infidelity_normalised", "faithfulness_at_3"), baseline="mean")
# 2: their records' seconds are behind a warm-up, and without the explainer's fit.
BLAME = Measure("blame", 2, blame)
FORECAST = Measure("forecast", 2, forecast, FORECASTS)
