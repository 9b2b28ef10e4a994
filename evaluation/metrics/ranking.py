r"""Metrics of the order in which an explainer names the features of a row.

Both look at the m top-ranked features of a row, m the number of its ground-truth features. **Ties are
averaged**: the value of tied attributions is its exact expectation over all orders of the tied features, so
that no column profits from its position. It needs no permutations: by linearity, each position held by a
tied group counts the share of ground-truth features in the group.
"""

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.common.errors import InputError

from .checks import checked_attributions, checked_gains, checked_mask
from .positions import ACC_M, NDCG_M


def ndcg_m(attributions: FloatArray, mask: BoolArray) -> FloatArray:
    r"""Return each row's normalised discounted cumulative gain at m, the number of its ground-truth features.

    .. math::
        \mathrm{nDCG}_m = \frac{\sum_{i \le m} \mathrm{rel}(i) / \log_2(i + 1)}
                                {\sum_{i \le m} 1 / \log_2(i + 1)}

    with rel(i) = 1 if the feature at position i is a ground-truth feature, else 0; position 1 is the
    top-ranked.

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
        In [0, 1], higher is better; chance is m / d, as of `chance_level`. NaN where m = 0.

    Raises
    ------
    InputError
        If shapes disagree, attributions are not finite, or `mask` is not boolean.

    Notes
    -----
    Source: Järvelin & Kekäläinen 2002; at k = m as in Vincent et al. 2025. Ties as in McSherry & Najork 2008.

    Examples -------- >>> import numpy as np >>> from xadbench.evaluation import metrics >>> mask =
    np.array([[True, True, False, False]]) >>> metrics.ndcg_m(np.array([[0.9, 0.1, 0.5, 0.0]]),
    mask).round(4)  # ground-truth features at positions 1 and 3 array([0.6131]) >>>
    metrics.ndcg_m(np.zeros((1, 4)), mask) array([0.5])
    """
    attributions, mask = checked_attributions(attributions, mask), checked_mask(mask)
    return NDCG_M.values(attributions, mask)


def acc_m(attributions: FloatArray, mask: BoolArray) -> FloatArray:
    r"""Return the share of ground-truth features among each row's m top-ranked ones, m their number.

    .. math:: \mathrm{Acc}_m = |\mathrm{top}_m \cap \mathrm{truth}| / m

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
        In [0, 1], higher is better; chance is m / d, as of `chance_level`. NaN where m = 0.

    Raises
    ------
    InputError
        If shapes disagree, attributions are not finite, or `mask` is not boolean.

    Notes
    -----
    Source: Vincent et al. 2025. It is the precision at m, and the recall at m too.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> metrics.acc_m(np.array([[0.9, 0.1, 0.5, 0.0]]), np.array([[True, True, False, False]]))
    array([0.5])
    """
    attributions, mask = checked_attributions(attributions, mask), checked_mask(mask)
    return ACC_M.values(attributions, mask)


def graded_ndcg_m(attributions: FloatArray, gains: FloatArray) -> FloatArray:
    r"""Return each row's nDCG at m with graded gains: to find a large deviation counts more than a small one.

    .. math::
        \mathrm{nDCG}_m = \sum_{i \le m} \frac{g_{(i)}}{\log_2(i + 1)} \Big/
                          \sum_{i \le m} \frac{g^*_{(i)}}{\log_2(i + 1)}

    with g_(i) the gain of the feature at position i, and g* the gains from largest to smallest.

    Parameters
    ----------
    attributions : (n, d) float64
        Attributions, finite; higher is more responsible. Only its order within a row counts; ties are
        averaged.
    gains : (n, d) float64
        The weight of each feature, at least 0; `graded_gains` gives ``|x - clean|`` on the ground-truth
        features. m is the number of gains above 0.

    Returns
    -------
    (n,) float64
        In [0, 1], higher is better; chance is `positions.NDCG_M.chance(gains)`. NaN where m = 0. With equal
        gains it is `ndcg_m`; with unequal ones a row whose features are all ground-truth features tells
        something too.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, or a gain is negative.

    Notes
    -----
    Source: Järvelin & Kekäläinen 2002, whose gains are graded.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> metrics.graded_ndcg_m(np.array([[0.9, 0.5, 0.1]]), np.array([[1.0, 3.0, 0.0]])).round(4)
    array([0.7967])
    """
    attributions, gains = checked_attributions(attributions, gains, "gains"), checked_gains(gains)
    return NDCG_M.values(attributions, gains)


def graded_acc_m(attributions: FloatArray, gains: FloatArray) -> FloatArray:
    r"""Return the share of a row's gains that its m top-ranked features hold.

    .. math:: \sum_{i \le m} g_{(i)} \Big/ \sum_j g_j

    Parameters and errors are those of `graded_ndcg_m`.

    Returns
    -------
    (n,) float64
        In [0, 1], higher is better; chance is m / d. NaN where m = 0. With equal gains it is `acc_m`.
    """
    attributions, gains = checked_attributions(attributions, gains, "gains"), checked_gains(gains)
    return ACC_M.values(attributions, gains)


def graded_gains(mask: BoolArray, deviation: FloatArray) -> FloatArray:
    """Return the graded gains (n, d): how far a true feature is from its clean twin; 0 for others.

    Parameters
    ----------
    mask : (n, d) bool
        The ground truth.
    deviation : (n, d) float64
        ``|x - clean|`` in standard deviations of each feature. Where an intervention spreads, descendants
        deviate too: they are not responsible and gain nothing.
    """
    mask = checked_mask(mask)
    return np.where(mask, checked_gains(deviation), 0.0)


def chance_level(mask: BoolArray) -> FloatArray:
    """Return what attributions without any knowledge expect of `ndcg_m` and `acc_m`: m / d.

    Any position holds a ground-truth feature with probability m / d, whatever its weight in the sum.

    Parameters
    ----------
    mask : (n, d) bool
        The ground truth.

    Returns
    -------
    (n,) float64
        In [0, 1]; 1 where all features are ground-truth features, so that nothing can be told from chance.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> metrics.chance_level(np.array([[True, False, False, False], [True, True, True, True]]))
    array([0.25, 1.  ])
    """
    chance: FloatArray = checked_mask(mask).mean(axis=1)
    return chance


def adjusted(values: FloatArray, mask: BoolArray) -> FloatArray:
    """Return values of `ndcg_m` or `acc_m` adjusted for chance: (v - m/d) / (1 - m/d).

    Parameters
    ----------
    values : (n,) float64
        What the metric gave.
    mask : (n, d) bool
        The ground truth.

    Returns
    -------
    (n,) float64
        0 at chance, 1 at best, negative below chance. NaN where m = 0 or m = d: no row of either kind can
        tell an explainer from chance.

    Raises
    ------
    InputError
        If there is not one value for each row of `mask`.
    """
    chance = chance_level(mask)
    if np.shape(values) != chance.shape:
        raise InputError(f"values has shape {np.shape(values)}, expected {chance.shape}: one for each row")
    room = np.where((chance > 0) & (chance < 1), 1 - chance, np.nan)
    result: FloatArray = (values - chance) / room
    return result
