"""Shapley values from coalitions of features: all of them, or a sample by leverage scores."""

from abc import ABC, abstractmethod
from itertools import combinations
from math import comb, factorial
from typing import Self

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.common.errors import InputError, NotApplicable
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream
from xadbench.evaluation.components.protocols import Detector

from .base import row_by_row
from .shapley import background_sample, mean_scores

MAX_LISTED = 50_000  # coalitions of one size that are listed in order to draw from them
MANY = 10**18  # coalitions of one size that no sample exhausts
MAX_FEATURES = 12  # of exact values: 4,096 coalitions, each with the whole background


class _Coalitions(ABC):
    """Shapley values as a linear map of the values of coalitions that are the same for every row."""

    requires: frozenset[str] = frozenset()
    version = 1

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    @one_thread()
    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Sample the background and choose the coalitions."""
        rows = matrix(background, "background", min_rows=1)
        self._coalitions, self._map = self._solve(rows.shape[1])
        self._sample = background_sample(rows, self.random_state)
        self._score = detector.decision_function
        return self

    @one_thread()
    def explain(self, X: FloatArray) -> FloatArray:
        """Return the signed Shapley values (n, d) of rows (n, d)."""
        return row_by_row(self._explain_row, matrix(X, n_columns=self._coalitions.shape[1]))

    def _explain_row(self, row: FloatArray) -> FloatArray:
        values: FloatArray = self._map @ mean_scores(self._score, row, self._sample, self._coalitions)
        return values

    @abstractmethod
    def _solve(self, d: int) -> tuple[BoolArray, FloatArray]:
        """Return the coalitions (m, d), and the matrix (d, m) that takes their values to Shapley values."""


class ExactShapley(_Coalitions):
    r"""Explainer by Shapley values of the score from all :math:`2^d` coalitions, for at most 12 features.

    The attribution is signed. The values of a row sum to f(x) minus the background's mean score.

    Parameters
    ----------
    random_state
        Seed of the background's rows, at least 0.

    Notes
    -----
    Source: Shapley 1953. A feature outside a coalition takes its values from the background, 100 rows or 2 %
    of it, as with `KernelSHAP`; the values are exact for that sample.
    """

    def _solve(self, d: int) -> tuple[BoolArray, FloatArray]:
        if d > MAX_FEATURES:
            raise NotApplicable(f"exact Shapley values are for at most {MAX_FEATURES} features, here are {d}")
        coalitions = np.arange(2**d)[:, None] >> np.arange(d) & 1 == 1
        size = coalitions.sum(axis=1)
        joined = np.array(
            [0.0, *(factorial(s - 1) * factorial(d - s) / factorial(d) for s in range(1, d + 1))]
        )
        left = np.array([*(-factorial(s) * factorial(d - s - 1) / factorial(d) for s in range(d)), 0.0])
        return coalitions, np.where(coalitions.T, joined[size], left[size])


class LeverageSHAP(_Coalitions):
    r"""Explainer by Shapley values of the score, from coalitions sampled by their leverage (Leverage SHAP).

    Shapley values solve a weighted regression on all coalitions. Sampled by leverage scores, all sizes of a
    coalition get about as many draws, and each coalition is drawn together with its complement, at most once.
    The attribution is signed; the values of a row sum to f(x) minus the background's mean score. From
    :math:`2^d` coalitions on they are exact.

    Parameters
    ----------
    alpha
        Coalitions per feature, at least 2: about alpha d calls of the detector on the whole background.
    random_state
        Seed of the background's rows and of the coalitions, at least 0.

    Notes
    -----
    Source: Musco & Witter 2025, "Provably accurate Shapley value estimation via leverage score sampling",
    arXiv 2410.01917. There the number drawn of each size is random; here it is the expected number, rounded
    by systematic sampling, so that their sum is fixed. All rows have the same coalitions, and so the
    regression is solved once.

    A coalition of size s has the regression weight 1 / (C(d, s) s (d - s)) and is drawn with probability
    min(1, c / C(d, s)): its equation weighs 1 / (s (d - s) min(C(d, s), c)).
    """

    def __init__(self, alpha: float = 4.0, random_state: int = 0) -> None:
        if not 2 <= alpha < np.inf:
            raise InputError(f"alpha is {alpha!r}, expected a finite number of at least 2")
        super().__init__(random_state)
        self.alpha = alpha

    def _solve(self, d: int) -> tuple[BoolArray, FloatArray]:
        rng = stream(self.random_state, "leverage_shap", "coalitions")
        pairs, weights = _draw_pairs(d, max(round(self.alpha * d / 2) - 1, d - 1), rng)
        inner = np.concatenate([pairs, ~pairs])
        coalitions = np.concatenate([np.zeros((1, d), dtype=bool), inner, np.ones((1, d), dtype=bool)])
        return coalitions, _regression(inner, np.tile(weights, 2))


def _regression(inner: BoolArray, weights: FloatArray) -> FloatArray:
    """Return the matrix (d, 1 + m + 1) from values of {}, `inner` (m, d) and all features to Shapley values.

    They minimise the weighted squares of z phi - (v(z) - v({})), under the constraint that they sum to
    v(all) - v({}). In the space of the constraint, phi is its mean plus what the centred coalitions explain.
    """
    d = inner.shape[1]
    size, root = inner.sum(axis=1), np.sqrt(weights)
    solve = np.linalg.pinv((inner - size[:, None] / d) * root[:, None]) * root
    # What the equations explain is v(z) - (1 - |z| / d) v({}) - |z| / d v(all).
    ends = solve @ (size / d - 1) - 1 / d, 1 / d - solve @ (size / d)
    return np.column_stack([ends[0], solve, ends[1]])


def _draw_pairs(d: int, n_pairs: int, rng: np.random.Generator) -> tuple[BoolArray, FloatArray]:
    """Return one of each drawn pair of complements (m, d), no pair twice, and their weights (m,)."""
    sizes = np.arange(1, d // 2 + 1)
    share = np.where(2 * sizes == d, 0.5, 1.0)  # half of d pairs with itself
    total = share * [float(min(comb(d, s), MANY)) for s in sizes.tolist()]
    expected = np.minimum(total, share * _level(total, share, n_pairs))
    up_to = np.floor(np.cumsum(expected) + rng.random())
    counts = np.minimum(np.diff(up_to, prepend=0), total).astype(np.int64)
    drawn = [_draw(d, size, count, rng) for size, count in zip(sizes.tolist(), counts.tolist(), strict=True)]
    weights = np.repeat(share / (sizes * (d - sizes) * expected), counts)
    return np.concatenate([np.zeros((0, d), dtype=bool), *drawn]), weights


def _level(total: FloatArray, share: FloatArray, n_pairs: int) -> float:
    """Return the number of draws c at which sizes with `total` pairs give `n_pairs` pairs in all."""
    if n_pairs >= total.sum():
        return float("inf")
    from scipy.optimize import brentq  # noqa: PLC0415  # takes a quarter of a second to import

    return float(brentq(lambda c: np.minimum(total, share * c).sum() - n_pairs, 0, 2 * n_pairs + 2))


def _draw(d: int, size: int, count: int, rng: np.random.Generator) -> BoolArray:
    """Return `count` different coalitions of one size (count, d), no two of them complements."""
    paired = 2 * size == d
    if comb(d, size) <= MAX_LISTED:
        known = np.array(list(combinations(range(d), size)), dtype=np.int64)
        known = known[: len(known) // 2] if paired else known  # the others are their complements, in reverse
        return _masks(known[rng.choice(len(known), count, replace=False)], d)
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < count:
        members = rng.choice(d, size, replace=False)
        if paired and 0 not in members:  # of two complements, the one with feature 0
            members = np.setdiff1d(np.arange(d), members)
        drawn[tuple(np.sort(members).tolist())] = None
    return _masks(np.array(list(drawn), dtype=np.int64).reshape(count, size), d)


def _masks(members: IntArray, d: int) -> BoolArray:
    masks = np.zeros((len(members), d), dtype=bool)
    np.put_along_axis(masks, members, values=True, axis=1)
    return masks
