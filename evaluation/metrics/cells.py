r"""Metrics of the whole order of a row's features: where the ground-truth features stand among all d of them.

As in `ranking`, ties are averaged: the value is its exact expectation over all orders of tied features. A
blind guess is a uniformly random order. m is the number of a row's ground-truth features.
"""

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray

from .checks import checked_attributions, checked_mask
from .positions import AUC_ROC
from .ties import tied_groups


def reciprocal_rank(attributions: FloatArray, mask: BoolArray) -> FloatArray:
    r"""Return one over the position of each row's first ground-truth feature; its mean over rows is the MRR.

    Parameters
    ----------
    attributions : (n, d) float64
        Attributions, finite; higher is more responsible. Only its order within a row counts; ties are
        averaged.
    mask : (n, d) bool
        The ground truth.

    Returns
    -------
    (n,) float64
        In (0, 1], higher is better; chance as of `reciprocal_rank_chance`. NaN where m = 0.

    Raises
    ------
    InputError
        If shapes disagree, attributions are not finite, or `mask` is not boolean.

    Notes
    -----
    Source: Voorhees 1999 (TREC-8). In a group of n tied features with c ground-truth features, the first
    stands at the group's s-th place with probability c / (n - s + 1) if it did not stand earlier.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> metrics.reciprocal_rank(np.array([[0.9, 0.1, 0.5, 0.0]]), np.array([[False, True, True, False]]))
    array([0.5])
    """
    attributions, mask = checked_attributions(attributions, mask), checked_mask(mask)
    return _inverse_first(attributions, mask, power=1)


def cell_average_precision(attributions: FloatArray, mask: BoolArray) -> FloatArray:
    r"""Return each row's average precision: the mean of the precision at its ground-truth features.

    .. math:: \mathrm{AP} = \frac{1}{m} \sum_i \mathrm{rel}(i)\, \frac{1}{i} \sum_{j \le i} \mathrm{rel}(j)

    Parameters
    ----------
    attributions : (n, d) float64
        Attributions, finite; higher is more responsible. Only its order within a row counts; ties are
        averaged.
    mask : (n, d) bool
        The ground truth.

    Returns
    -------
    (n,) float64
        In (0, 1], higher is better; chance as of `average_precision_chance`. NaN where m = 0.

    Raises
    ------
    InputError
        If shapes disagree, attributions are not finite, or `mask` is not boolean.

    Notes
    -----
    Ties as in McSherry & Najork 2008: at place s of a group of n tied features with c ground-truth features
    stands a ground-truth feature with probability c / n, and then before it in the group (s - 1)(c - 1)/(n
    - 1) others on average. scikit-learn lets a tied group pass a threshold together instead, which is no
    expectation over orders.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> metrics.cell_average_precision(np.array([[0.9, 0.1, 0.5]]), np.array([[True, True, False]])).round(4)
    array([0.8333])
    """
    attributions, mask = checked_attributions(attributions, mask), checked_mask(mask)
    groups = tied_groups(attributions, mask)
    position = np.arange(1, mask.shape[1] + 1)
    others = (position - groups.start - 1) * (groups.gain - 1) / np.maximum(groups.size - 1, 1)
    precision = (groups.gain_before + 1 + others) / position
    return _defined((groups.gain / groups.size * precision).sum(axis=1) / _at_least_1(mask), mask)


def cell_auc_roc(attributions: FloatArray, mask: BoolArray) -> FloatArray:
    """Return each row's area under the ROC curve: how often a true feature is above another.

    Parameters
    ----------
    attributions : (n, d) float64
        Attributions, finite; higher is more responsible. Only its order within a row counts; a tie counts
        one half.
    mask : (n, d) bool
        The ground truth.

    Returns
    -------
    (n,) float64
        In [0, 1], higher is better; chance is 0.5. NaN where m = 0 or m = d.

    Raises
    ------
    InputError
        If shapes disagree, attributions are not finite, or `mask` is not boolean.

    Notes
    -----
    Source: Hanley & McNeil 1982: the Mann-Whitney statistic over the pairs of ground-truth features and
    others.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> metrics.cell_auc_roc(np.array([[0.9, 0.1, 0.5, 0.0]]), np.array([[True, True, False, False]]))
    array([0.75])
    """
    attributions, mask = checked_attributions(attributions, mask), checked_mask(mask)
    return AUC_ROC.values(attributions, mask)


def reciprocal_rank_chance(mask: BoolArray) -> FloatArray:
    r"""Return what a blind guess expects of `reciprocal_rank`, (n,).

    .. math:: \sum_{r=1}^{d-m+1} \frac{1}{r} \binom{d-r}{m-1} \Big/ \binom{d}{m}
    """
    return _inverse_first(np.zeros(np.shape(mask)), checked_mask(mask), power=1)


def reciprocal_rank_variance(mask: BoolArray) -> FloatArray:
    """Return the variance of a blind guess's `reciprocal_rank`, (n,), by the same sum over 1 / r^2."""
    square = _inverse_first(np.zeros(np.shape(mask)), checked_mask(mask), power=2)
    return np.maximum(square - reciprocal_rank_chance(mask) ** 2, 0)


def average_precision_chance(mask: BoolArray) -> FloatArray:
    r"""Return what a blind guess expects of `cell_average_precision`, (n,).

    .. math:: (q_1 H_d + q_2 (d - H_d)) / m

    with q_k the probability that k given positions all hold ground-truth features, H_d the d-th harmonic
    number.
    """
    mask = checked_mask(mask)
    n_features = mask.shape[1]
    harmonic = (1 / np.arange(1, n_features + 1)).sum()
    q = _all_true(mask)
    return _defined((q[0] * harmonic + q[1] * (n_features - harmonic)) / _at_least_1(mask), mask)


def average_precision_variance(mask: BoolArray) -> FloatArray:
    r"""Return the variance of a blind guess's `cell_average_precision`, (n,).

    The square of the sum over ground-truth features has the expectation :math:`\sum_{k \le 4} q_k S_k`, q
    as of `average_precision_chance`; from the indicators of two positions i < j and of those before them,

    .. math::
        S_1 &= \sum 1/i^2 \qquad S_2 = \sum 3 (i - 1)/i^2 + 2 \sum_{i<j} 2/(ij) \\
        S_3 &= \sum (i - 1)(i - 2)/i^2 + 2 \sum_{i<j} (3i + j - 5)/(ij) \\
        S_4 &= 2 \sum_{i<j} (i - 1)(j - 3)/(ij)
    """
    mask = checked_mask(mask)
    i = np.arange(1.0, mask.shape[1] + 1)

    def pairs(of_first: FloatArray, of_second: FloatArray) -> float:
        """Sum over i < j of the product."""
        return float((np.cumsum(of_first)[:-1] * of_second[1:]).sum())

    one = np.ones_like(i)
    sums = (
        (1 / i**2).sum(),
        (3 * (i - 1) / i**2).sum() + 4 * pairs(1 / i, 1 / i),
        ((i - 1) * (i - 2) / i**2).sum() + 2 * (pairs(3 * one, 1 / i) + pairs(1 / i, (i - 5) / i)),
        2 * pairs((i - 1) / i, (i - 3) / i),
    )
    square = sum(q * total for q, total in zip(_all_true(mask), sums, strict=True))
    variance: FloatArray = square / _at_least_1(mask) ** 2 - average_precision_chance(mask) ** 2
    return np.maximum(variance, 0)


def _inverse_first(attributions: FloatArray, mask: BoolArray, power: int) -> FloatArray:
    """Return the expectation of one over the first ground-truth feature's position to a power."""
    groups = tied_groups(attributions, mask)
    position = np.arange(1.0, mask.shape[1] + 1)
    place = position - groups.start
    # Behind the first group with a true feature nothing is left to be first; 1 caps what is never reached.
    here = np.minimum(groups.gain / (groups.size - place + 1), 1)
    none_before = np.ones(mask.shape)
    np.cumprod(1 - here[:, :-1], axis=1, out=none_before[:, 1:])
    return _defined((none_before * here / position**power).sum(axis=1), mask)


def _all_true(mask: BoolArray) -> list[FloatArray]:
    """Return the probabilities (n,) that 1, 2, 3 and 4 given positions all hold ground-truth features."""
    n_true, n_features = np.count_nonzero(mask, axis=1), mask.shape[1]
    shares = [np.maximum(n_true - k, 0) / max(n_features - k, 1) for k in range(4)]
    return list(np.cumprod(shares, axis=0))


def _at_least_1(mask: BoolArray) -> FloatArray:
    number: FloatArray = np.maximum(np.count_nonzero(mask, axis=1), 1.0)
    return number


def _defined(values: FloatArray, mask: BoolArray) -> FloatArray:
    return np.where(mask.any(axis=1), values, np.nan)
