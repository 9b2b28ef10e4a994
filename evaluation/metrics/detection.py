"""Metrics of a detector's scores: how far anomalous rows stand above normal ones.

All are NaN where `y` has one class only, and raise `InputError` where shapes disagree, scores are not finite
or `y` is not boolean.
"""

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.values import aligned, labels_of, numbers

from .ranking import acc_m

LEAST_AUC_ROC = 0.4  # below it a detector is worse than guessing by more than chance


def auc_roc(scores: FloatArray, y: BoolArray) -> float:
    """Return the area under the ROC curve: the probability that an anomaly scores above a normal row.

    Parameters
    ----------
    scores : (n,) float64
        Higher is more anomalous; a tie counts one half.
    y : (n,) bool
        True for anomalous rows.

    Returns
    -------
    float
        In [0, 1], higher is better; chance is 0.5.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> metrics.auc_roc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415  # scikit-learn takes a second to import

    scores, y = _checked(scores, y)
    return float(roc_auc_score(y, scores)) if _has_two_classes(y) else np.nan


def average_precision(scores: FloatArray, y: BoolArray) -> float:
    """Return the precision at every threshold, weighted with the recall it gains.

    Parameters
    ----------
    scores : (n,) float64
        Higher is more anomalous; tied rows pass a threshold together.
    y : (n,) bool
        True for anomalous rows.

    Returns
    -------
    float
        In [0, 1], higher is better; chance is about the share of anomalies.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> metrics.average_precision(np.array([0.1, 0.4, 0.8]), np.array([False, True, True]))
    1.0
    """
    from sklearn.metrics import average_precision_score  # noqa: PLC0415  # as above

    scores, y = _checked(scores, y)
    return float(average_precision_score(y, scores)) if _has_two_classes(y) else np.nan


def f1_at_n(scores: FloatArray, y: BoolArray) -> float:
    """Return the F1 of calling the n highest scores anomalous, n the true number of anomalies.

    Precision, recall and F1 are the same at that point: the share of anomalies among the n rows. Of rows tied
    at the threshold, as many as have room are called, at random: the value is the exact expectation.

    Parameters
    ----------
    scores : (n_rows,) float64
        Higher is more anomalous.
    y : (n_rows,) bool
        True for anomalous rows.

    Returns
    -------
    float
        In [0, 1], higher is better; chance is the share of anomalies.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> metrics.f1_at_n(np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False]))
    0.75
    """
    scores, y = _checked(scores, y)
    return float(acc_m(scores[None, :], y[None, :])[0]) if _has_two_classes(y) else np.nan


def _has_two_classes(y: BoolArray) -> bool:
    return bool(y.any() and not y.all())


def _checked(scores: FloatArray, y: BoolArray) -> tuple[FloatArray, BoolArray]:
    scores = aligned(scores, "scores", rows=labels_of(y).rows).astype(np.float64)
    y = numbers(y, "y")
    if scores.ndim != 1 or scores.shape != y.shape:
        raise InputError(f"scores has shape {scores.shape} and y has shape {y.shape}, expected the same (n,)")
    if y.dtype != np.bool_:
        raise InputError(f"y has dtype {y.dtype}, expected bool")
    if bad := int((~np.isfinite(scores)).sum()):
        raise InputError(f"scores has {bad} value(s) that are NaN or infinite")
    return scores, y


def inversion_hint(detector: str, auc_roc: float, n_detected: float) -> str | None:
    """Return a question for whom a detector's scores may be inverted; None where they need not be.

    Parameters
    ----------
    detector
        Its name.
    auc_roc
        Its AUC-ROC, in [0, 1]; NaN where it is not known.
    n_detected
        The number of anomalies among its n highest-scored rows, n the number of anomalies; NaN likewise.
    """
    if auc_roc < LEAST_AUC_ROC:
        found = f"has an AUC-ROC of {auc_roc:.3f}"
    elif n_detected == 0:
        found = "ranks no anomaly among its highest-scored rows"
    else:
        return None
    return f"{detector} {found}: are its scores inverted? Expected higher scores for anomalous rows."
