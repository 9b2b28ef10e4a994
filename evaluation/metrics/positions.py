r"""Metrics that are linear in what stands at each position of a row's order, and their chance.

.. math:: v = \left(\sum_i w_i g_{(i)} + o\right) / b

with g_(i) the gain of the feature at position i, weights w, offset o and norm b. A blind guess puts the d
gains in a uniformly random order. Its expectation and variance have a closed form:

.. math::
    \mathrm{E}[v] = \left(\bar g \sum_i w_i + o\right) / b, \qquad
    \mathrm{Var}[v] = \frac{\sum_i (w_i - \bar w)^2 \sum_j (g_j - \bar g)^2}{(d - 1)\, b^2}

since Cov(g_(i), g_(k)) is -1/(d - 1) of the common variance (Hoeffding 1951; the permutation moments of a
linear rank statistic).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray

from .ties import expected_gains

Gains = FloatArray | BoolArray


class Terms(NamedTuple):
    """The terms of a linear metric: weights (n, k) of the first k positions, offset and norm (n,).

    Later positions have weight 0. The norm is 0 where the metric is not defined.
    """

    weights: FloatArray
    offset: FloatArray
    norm: FloatArray


@dataclass(frozen=True)
class LinearMetric:
    """A metric that is linear in the gains at the positions; `terms` gives its terms for gains (n, d)."""

    terms: Callable[[Gains], Terms]

    def values(self, attributions: FloatArray, gains: Gains) -> FloatArray:
        """Return each row's value (n,), averaged over the orders of tied features."""
        weights, offset, norm = self.terms(gains)
        expected = expected_gains(attributions, gains, weights.shape[1])
        values = _ratio((expected * weights).sum(axis=1) + offset, norm)
        return np.minimum(values, 1)  # graded gains, summed in another order than the norm's, may round up

    def chance(self, gains: Gains) -> FloatArray:
        """Return what a random order expects, (n,)."""
        weights, offset, norm = self.terms(gains)
        return _ratio(gains.mean(axis=1) * weights.sum(axis=1) + offset, norm)

    def chance_variance(self, gains: Gains) -> FloatArray:
        """Return the variance of a random order's value, (n,)."""
        weights, _, norm = self.terms(gains)
        n_features = gains.shape[1]
        # Weights that are not given are 0.
        weight_squares: FloatArray = (weights**2).sum(axis=1) - weights.sum(axis=1) ** 2 / n_features
        gain_squares: FloatArray = n_features * gains.var(axis=1, dtype=np.float64)
        return _ratio(weight_squares * gain_squares / max(n_features - 1, 1), norm**2)


def _ratio(numerator: FloatArray, norm: FloatArray) -> FloatArray:
    ratio: FloatArray = numerator / np.where(norm > 0, norm, np.nan)
    return ratio


def _ndcg_terms(gains: Gains) -> Terms:
    first = _first_m(gains)
    return _share_of_best(gains, first / np.log2(np.arange(2, first.shape[1] + 2)))


def _acc_terms(gains: Gains) -> Terms:
    return _share_of_best(gains, _first_m(gains))


def _share_of_best(gains: Gains, weights: FloatArray) -> Terms:
    # The same products summed in the same order: a perfect row gets exactly 1, and none more.
    best = weights
    if gains.dtype != np.bool_:
        best = np.sort(np.asarray(gains, dtype=np.float64), axis=1)[:, ::-1][:, : weights.shape[1]] * weights
    return Terms(weights, np.zeros(len(gains)), best.sum(axis=1))


def _auc_roc_terms(gains: Gains) -> Terms:
    n_features, n_true = gains.shape[1], np.count_nonzero(gains, axis=1)
    below = np.broadcast_to(np.arange(n_features)[::-1].astype(float), gains.shape)
    # Of the features below a ground-truth feature, those that are ground-truth features too do not count.
    return Terms(below, -n_true * (n_true - 1) / 2, n_true * (n_features - n_true) * 1.0)


def _first_m(gains: Gains) -> FloatArray:
    """Return 1 at each row's first m positions, m the number of its gains, else 0; (n, the largest m)."""
    n_true = np.count_nonzero(gains, axis=1)
    first = np.arange(n_true.max(initial=0)) < n_true[:, None]
    result: FloatArray = first.astype(np.float64)
    return result


NDCG_M, ACC_M, AUC_ROC = LinearMetric(_ndcg_terms), LinearMetric(_acc_terms), LinearMetric(_auc_roc_terms)
