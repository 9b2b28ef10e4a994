"""The Bayes factor of a set of affected cells: how much likelier a row is if a kind changed these cells.

In it the clean values of the cells are integrated out, with quasi-random points. Of a linear-Gaussian
network all but the floor of a kind is exact already; points then only tell how often a change is too small.
"""

from functools import cache

import numpy as np
from scipy.special import logsumexp, ndtri
from scipy.stats import qmc

from xadbench.datasets.common.arrays import FloatArray, IntArray

from .clean_cells import WIDER, CleanCells
from .linear_gaussian import cells, log_normal, times
from .new_values import NewValues


@cache
def uniform_points(n: int, dimension: int) -> FloatArray:
    """Return `n` quasi-random points of the unit cube, (n, dimension); the same ones each time."""
    return np.asarray(qmc.Sobol(dimension, scramble=True, rng=np.random.default_rng(0)).random(n))


class Screening:
    """About the log Bayes factors of sets (s, m), or (n, s, m), of rows (n, d), without the floor."""

    def __init__(self, clean: CleanCells, X: FloatArray, sets: IntArray) -> None:
        self.sets, self.values = sets, cells(X, sets)
        self.mean, self.covariance = clean.given_the_rest(X, sets)
        self.normal = log_normal(self.values - self.mean, self.covariance) - clean.log_base(X)[:, None]

    def of(self, likelihood: NewValues) -> FloatArray:
        """Return them (n, s) for what a kind puts into the cells."""
        return np.asarray(likelihood.screen(self.values, self.mean, self.covariance, self.sets) - self.normal)


def refined(
    likelihood: NewValues, clean: CleanCells, X: FloatArray, sets: IntArray, n_points: int
) -> tuple[FloatArray, FloatArray]:
    """Return the log Bayes factor (n,) of a set (n, m) a row, and its relative standard error (n,).

    Points are drawn from the clean cells given the rest, and for kinds that keep something of the clean
    value half of them from what the new values add to that.
    """
    mean, covariance = (part[:, 0] for part in clean.given_the_rest(X, sets[:, None]))
    values = cells(X, sets[:, None])[:, 0]
    wider = covariance if clean.exact else WIDER**2 * covariance
    proposals = [(mean, wider)]
    if not likelihood.overwrites:
        proposals.append(likelihood.clean_given_new(values, mean, wider, sets))
    normal = ndtri(uniform_points(n_points, sets.shape[1]))
    parts = np.array_split(normal, len(proposals) + (not clean.exact))[: len(proposals)]
    points = np.concatenate(
        [
            centre[:, None] + times(_root(spread)[:, None], part)
            for (centre, spread), part in zip(proposals, parts, strict=True)
        ],
        axis=1,
    )
    if not clean.exact:  # others given their parents, so that bounded noise stays within its bounds
        points = np.concatenate([points, clean.ancestral(X, sets, n_points - points.shape[1])], axis=1)
    densities = [log_normal(points - centre[:, None], spread[:, None]) for centre, spread in proposals]
    ratio, own = clean.log_ratio(X, sets, points, (mean, covariance))
    if not clean.exact:
        densities.append(own)
    drawn_from = logsumexp(densities, axis=0) - np.log(len(densities))
    weights = likelihood.log_density(values[:, None], points, sets[:, None]) - drawn_from + ratio
    highest = weights.max(axis=1, keepdims=True)
    relative = np.exp(weights - np.where(np.isfinite(highest), highest, 0.0))
    average = np.maximum(relative.mean(axis=1), 1e-300)
    error = relative.std(axis=1) / average / np.sqrt(points.shape[1])
    return highest[:, 0] + np.log(average), error


def _root(covariance: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
