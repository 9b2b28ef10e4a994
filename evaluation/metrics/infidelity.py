"""Infidelity: how far attributions are from telling what a change of the row does to the score."""

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least, matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream

from .checks import checked_attributions
from .correlation import without_unit
from .fill_values import checked_fill_value
from .perturbed import Score, before_and_after


@one_thread()
def infidelity(
    attributions: FloatArray,
    X: FloatArray,
    score: Score,
    *,
    std: float = 0.01,
    n_draws: int = 100,
    seed: int = 0,
    fill_value: FloatArray | None = None,
    normalise: bool = False,
) -> FloatArray:
    r"""Return each row's infidelity: how wrong the attributions forecast the score's fall.

    .. math:: \mathrm{E}_I\left[\left(I^T a - (f(x) - f(x - I))\right)^2\right]

    Parameters
    ----------
    attributions : (n, d) float64
        Attributions a, finite, signed; in units of the score per unit of the features, as of gradients,
        unless there is a fill value.
    X : (n, d) float64
        The rows x that it explains.
    score
        The score f: rows (m, d) to values (m,).
    std
        I has independent Gaussian coordinates with this standard deviation, in units of `X`.
    n_draws
        Draws of I, the same for all rows.
    seed
        Names the draws.
    fill_value : (d,) or (n, d) float64, optional
        Where given, a random subset z of the features goes to the fill value instead, each with probability
        one half, and the forecast is z^T a: attributions in units of the score, as of Shapley values. A
        gradient is to be multiplied by x - fill_value first.
    normalise
        Whether to rescale each row's attributions by the factor that serves it best, at least 0. For
        explainers whose attributions have no unit.

    Returns
    -------
    (n,) float64
        At least 0, lower is better; 0 for a linear score and its gradient. In squared units of the score.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, or a setting is out of range.

    Notes
    -----
    Source: Yeh et al. 2019, arXiv 1901.09392: definition 2.1, with noise and with the difference to a
    subset of the fill value, there in the form for attributions that are multiplied by their input. The
    factor is their optimal scaling E[b c] / E[b^2], for b the forecast and c the fall; they let it be
    negative, which makes attributions and their inverse equally good. The published code of Vincent et al.
    2025 has an outer product for the scalar one: its figures are not infidelities.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation import metrics
    >>> X, weights = np.array([[1.0, 2.0]]), np.array([3.0, -1.0])
    >>> metrics.infidelity(weights[None, :], X, lambda rows: rows @ weights).round(12)
    array([0.])
    >>> metrics.infidelity(2 * weights[None], X, lambda rows: rows @ weights, normalise=True).round(12)
    array([0.])
    """
    attributions, X = checked_attributions(attributions, X, "X"), matrix(X)
    at_least(1, n_draws=n_draws)
    if not std > 0:
        raise InputError(f"std is {std!r}, expected a number above 0")
    if fill_value is None:
        noise = std * stream(seed, "infidelity", "gaussian").standard_normal((n_draws, X.shape[1]))
        forecast = attributions @ noise.T
        before, after = before_and_after(score, X, lambda rows, draws: X[rows, None] - noise[draws], n_draws)
    else:
        distance = X - checked_fill_value(fill_value, X)
        chosen = stream(seed, "infidelity", "subsets").random((n_draws, X.shape[1])) < 0.5
        forecast = attributions @ chosen.T.astype(float)
        before, after = before_and_after(
            score, X, lambda rows, draws: X[rows, None] - distance[rows, None] * chosen[draws], n_draws
        )
    falls = before[:, None] - after
    if normalise:
        forecast = without_unit(forecast)
        forecast *= _best_factor(forecast, falls)[:, None]
    result: FloatArray = ((forecast - falls) ** 2).mean(axis=1)
    return result


def _best_factor(forecast: FloatArray, falls: FloatArray) -> FloatArray:
    """Return the factor (n,), at least 0, that brings each row's forecast closest to the falls."""
    square = (forecast**2).sum(axis=1)
    product = (forecast * falls).sum(axis=1)
    # Attributions of zeros stay as they are: any factor serves.
    factor: FloatArray = np.maximum(product, 0) / np.where(square > 0, square, 1)
    return factor
