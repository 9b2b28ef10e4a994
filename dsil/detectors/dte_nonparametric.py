"""Diffusion time without training: the distances to the nearest training rows say how noisy a row is."""

from typing import ClassVar

import numpy as np
from scipy.special import softmax

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import InputError, find
from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule

from .nearest_rows import NearestRows

FARTHEST = 1e150  # distance whose square is a number, whatever it is divided by
ROWS_AT_ONCE = 512  # the densities of a part, some 1 MB, stay in the processor's cache


class DTENonParametric(NearestRows):
    r"""Detector that infers how far along a diffusion a row lies from its nearest training rows ("DTE-NP").

    With b half the mean of the `n_neighbors` smallest squared distances to the training rows, the posterior
    of the step t = 0..n_steps-1 is proportional to the inverse-gamma density of shape d/2 - 1 and scale b,

    .. math:: p(t \mid x) \propto (\sigma_t^2)^{-d/2} \exp(-b / \sigma_t^2),

    and the score is its mode or its mean. Both are increasing in b: the ranking is that of the mean squared
    distance, except for ties. Rows are taken as they are: standardise them per feature first. Nothing is
    random.

    Parameters
    ----------
    n_neighbors
        Number K of training rows that a row is compared with, at most as many as there are.
    n_steps
        Number T of diffusion steps.
    statistic
        "mode", the most likely step: the published score, and so the default, though it takes n_steps
        values at most and ties many rows, all those beyond the last step among them; or "mean", the expected
        step, which tells these apart.
    contamination
        Share of the training rows above `threshold_`, in (0, 0.5].

    Attributes
    ----------
    rows_ : (n, d) float64
        The training rows.
    neighbours_ : NearestNeighbors
        Their index.
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`. Scores are in [0, n_steps-1].

    Notes
    -----
    A training row is its own neighbour when it is scored, as in the published code. b = 0 (a row that is
    K times in the training set) gives the limit: all the weight on t = 0. Beware of small data resampled with
    replacement: a row's nearest neighbours are then its copies, and the scores say how many it has.

    The shape d/2 - 1 is not positive for d <= 2, where the density cannot be normalised over all variances.
    Over the finitely many steps it can, and is then the exact posterior of a uniform t given
    :math:`x \sim N(x_0, \sigma_t^2 I)`; so these data are scored by the same formula.

    Source: Livernoche et al. 2024, arXiv 2305.18593, with their K = 5 and T = 300.
    """

    version: ClassVar[int] = 1

    def __init__(
        self, n_neighbors: int = 5, n_steps: int = 300, statistic: str = "mode", contamination: float = 0.1
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_steps = n_steps
        self.statistic = statistic
        self.contamination = contamination

    def _learn(self, rows: FloatArray) -> None:
        at_least(1, n_neighbors=self.n_neighbors, n_steps=self.n_steps)
        find("statistic", self.statistic, STATISTICS)
        if self.n_neighbors > len(rows):
            raise InputError(f"n_neighbors is {self.n_neighbors}, expected at most the {len(rows)} rows of X")
        self._keep(rows.copy())  # the user's own array may change

    def _scores(self, rows: FloatArray) -> FloatArray:
        if not len(rows):
            return np.empty(0)
        variances = NoiseSchedule(self.n_steps).sigma ** 2
        distances, _ = self.neighbours_.kneighbors(rows)
        if len(bad := np.argwhere(distances > FARTHEST)):
            raise InputError(f"row {bad[0, 0]} is too far from the training rows to square the distance")
        scale = (distances**2).mean(axis=1) / 2
        return STATISTICS[self.statistic](scale, variances, rows.shape[1])


def mode(scale: FloatArray, variances: FloatArray, n_features: int) -> FloatArray:
    """Return the most likely step (n,) for each scale b (n,), given the variances (T,) of the steps.

    The density has one peak, so step t + 1 beats step t from some b on, and these turning points increase
    with t: the mode is the number of them below b.
    """
    gain = np.diff(-1 / variances)  # of the exponent, per unit of b
    turning_points = n_features / 2 * np.diff(np.log(variances)) / gain
    return np.searchsorted(turning_points, scale).astype(np.float64)


def mean(scale: FloatArray, variances: FloatArray, n_features: int) -> FloatArray:
    """Return the expected step (n,) for each scale b (n,), given the variances (T,) of the steps."""
    steps, log_variances = np.arange(len(variances)), np.log(variances)
    scores = np.empty(len(scale))
    for start in range(0, len(scale), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        log_density = -n_features / 2 * log_variances - scale[part, np.newaxis] / variances
        scores[part] = softmax(log_density, axis=1) @ steps
    return scores


STATISTICS = {"mode": mode, "mean": mean}
