"""Robustness: how much attributions change where they should not."""

from collections.abc import Callable
from itertools import combinations

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least, matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.rng import stream

from .checks import checked_attributions
from .correlation import correlation, exponents

Explain = Callable[[FloatArray], FloatArray]


def max_sensitivity(
    attributions: FloatArray,
    X: FloatArray,
    explain: Explain,
    *,
    radius: float = 0.02,
    n_draws: int = 10,
    seed: int = 0,
) -> FloatArray:
    r"""Return the largest change of each row's attributions in a small ball around it.

    .. math:: \max_{\|\delta\|_\infty \le r} \|\Phi(x + \delta) - \Phi(x)\|_2 \,/\, \|\Phi(x)\|_2

    Parameters
    ----------
    attributions : (n, d) float64
        :math:`\Phi(x)`, finite.
    X : (n, d) float64
        The rows x.
    explain
        The explainer: rows (n, d) to attributions (n, d). Called once a draw.
    radius
        The ball's r, in units of `X`.
    n_draws
        Draws of a point in the ball, the same for all rows: the maximum is over these.
    seed
        Names the draws.

    Returns
    -------
    (n,) float64
        At least 0, lower is better. NaN where the attributions are all 0.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, or a setting is out of range.

    Notes
    -----
    Source: Yeh et al. 2019, arXiv 1901.09392, definition 3, normalised as in their experiments.
    """
    attributions, X = checked_attributions(attributions, X, "X"), matrix(X)
    at_least(1, n_draws=n_draws)
    if not radius > 0:
        raise InputError(f"radius is {radius!r}, expected a number above 0")
    unit = -exponents(attributions)[:, None]
    attributions = np.ldexp(attributions, unit)
    shifts = radius * stream(seed, "max_sensitivity").uniform(-1, 1, (n_draws, X.shape[1]))
    changes = [
        np.linalg.norm(
            np.ldexp(checked_attributions(explain(X + shift), X, "X"), unit) - attributions, axis=1
        )
        for shift in shifts
    ]
    size = np.linalg.norm(attributions, axis=1)
    result: FloatArray = np.max(changes, axis=0) / np.where(size > 0, size, np.nan)
    return result


def rank_agreement(repeated: FloatArray) -> FloatArray:
    """Return how well repeated explanations of each row agree on the order of its features.

    Parameters
    ----------
    repeated : (r, n, d) float64
        Attributions of the same rows from at least 2 runs, such as seeds or batch orders.

    Returns
    -------
    (n,) float64
        Spearman's correlation, ties at their mean rank, averaged over pairs of runs. In [-1, 1], higher is
        better; 1 for equal orders, chance is 0. NaN where a run scores all features alike.

    Raises
    ------
    InputError
        If there are fewer than 2 runs, or a value is not finite.
    """
    repeated = np.asarray(repeated, dtype=np.float64)
    if repeated.ndim != 3 or len(repeated) < 2 or not np.isfinite(repeated).all():
        raise InputError(f"repeated has shape {repeated.shape}, expected finite (r, n, d) with r at least 2")
    from scipy.stats import rankdata  # noqa: PLC0415  # takes half a second to import

    ranks = [rankdata(run, axis=1) for run in repeated]
    agreement: FloatArray = np.mean([correlation(a, b) for a, b in combinations(ranks, 2)], axis=0)
    return agreement


def seed_agreement(
    X: FloatArray,
    explain_with_seed: Callable[[int, FloatArray], FloatArray],
    *,
    n_seeds: int = 3,
    seed: int = 0,
) -> FloatArray:
    """Return `rank_agreement` (n,) between explainers made with `n_seeds` random seeds."""
    seeds = stream(seed, "seed_agreement").integers(2**32, size=n_seeds)
    return rank_agreement(np.array([explain_with_seed(int(one), X) for one in seeds]))


def batch_agreement(X: FloatArray, explain: Explain, *, seed: int = 0) -> FloatArray:
    """Return `rank_agreement` (n,) between the rows explained in their order, in reverse, and shuffled."""
    n_rows = len(X)
    shuffled = stream(seed, "batch_agreement").permutation(n_rows)
    orders = (np.arange(n_rows), np.arange(n_rows)[::-1], shuffled)
    return rank_agreement(np.array([explain(X[order])[np.argsort(order)] for order in orders]))
