"""Rankings that are best on average over a posterior of ground-truth sets."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from xadbench.datasets.common.arrays import FloatArray


def expected_ndcg_ranking(by_size: FloatArray) -> FloatArray:
    """Return attributions whose order maximises the expected adjusted nDCG_m.

    A feature at position p ≤ m of a ground-truth set of size m gains 1/log2(p + 1), divided by what the best
    order gains and by 1 - m/d, the room above chance. So the expected score is a sum over positions of a gain
    of the feature placed there, and the best order an assignment of features to positions. Behind the
    largest size the order is that of the marginal posterior.

    Parameters
    ----------
    by_size : (n, d, M + 1) float64
        The probability that feature i is in the set and the set has m features; sets of all features, on
        which every order scores the same, do not count.

    Returns
    -------
    (n, d) float64
        From d for the first feature down to 1 for the last one.
    """
    return np.stack([_ranking(gains, row) for gains, row in zip(_gains(by_size), by_size, strict=True)])


def expected_gain(by_size: FloatArray, attributions: FloatArray) -> FloatArray:
    """Return the expected adjusted nDCG_m, (n,), but for the constant of chance, of attributions (n, d)."""
    order = np.argsort(-attributions, axis=1, kind="stable")
    gains = _gains(by_size)
    top = order[:, : gains.shape[2]]
    return np.asarray(np.take_along_axis(gains, top[:, None, :], axis=1)[:, 0].sum(axis=1))


def _gains(by_size: FloatArray) -> FloatArray:
    """Return what each feature (rows) gains at each position (columns), (n, d, M)."""
    n_features, largest = by_size.shape[1], min(by_size.shape[2] - 1, by_size.shape[1] - 1)
    discount = 1 / np.log2(np.arange(2, largest + 2))
    sizes = np.arange(1, largest + 1)
    weight = 1 / (discount.cumsum() * (1 - sizes / n_features))
    reached = sizes[:, None] >= sizes  # size m has position p
    return np.asarray((by_size[..., 1 : largest + 1] * weight) @ reached * discount)


def _ranking(gains: FloatArray, by_size: FloatArray) -> FloatArray:
    features, positions = linear_sum_assignment(gains, maximize=True)
    n_features = len(gains)
    attributions = np.empty(n_features)
    attributions[features] = n_features - positions
    rest = np.setdiff1d(np.arange(n_features), features)
    behind = rest[np.argsort(-by_size[rest].sum(axis=1), kind="stable")]
    attributions[behind] = n_features - len(features) - np.arange(len(behind))
    return attributions
