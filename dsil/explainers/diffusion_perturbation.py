"""The paper's explainer: score a feature by how much its noise alone moves the score."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.checks import at_least, matrix
from xadbench.datasets.common.errors import find
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream
from xadbench.dsil.detectors.base import Estimator
from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule, quantile_nodes
from xadbench.dsil.networks.feature_changes import change_scores, moves_of_changes

# Of the moves (d, k) under shifts (d, k), one number a feature.
AGGREGATES: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "mean": lambda moves, shifts: moves.mean(axis=1),  # noqa: ARG005  # as the others
    "max": lambda moves, shifts: moves.max(axis=1),  # noqa: ARG005  # as the others
    "weighted_mean": lambda moves, shifts: np.average(moves, axis=1, weights=_weights(shifts)),
}


def _weights(shifts: FloatArray) -> FloatArray:
    return 1 / np.where(
        shifts == 0, 1.0, np.abs(shifts)
    )  # an odd number of nodes has one at 0, which moves nothing


class DiffusionPerturbation(Estimator):
    r"""Explainer that adds diffusion noise to one feature at a time.

    .. math:: s_i(x) = \mathrm{AGG}_\delta\, |f(x + \delta e_i) - f(x)|

    with f the detector's score and e_i the i-th unit vector, then min-max scaled per row. Each row is scored
    apart from the others, in calls of a fixed shape, so its attributions do not depend on the batch.

    Parameters
    ----------
    aggregate
        "mean" or "max" over the noise; or "weighted_mean", with weights 1 / \|delta\|, so that a small noise
        counts as much by what it moves as a large one. The weights are our choice: the paper gives none.
    draws
        "quantile": delta runs over `n_nodes` quantiles of the noise of all diffusion steps; no randomness.
        "random": as published, one draw for every feature and each of `n_draws` steps, evenly spread, the
        same for all rows.
    n_nodes, n_draws
        How many delta each feature gets, for either kind of `draws`.
    random_state
        Seed of the random draws, at least 0.

    Attributes
    ----------
    detector_
        The detector explained.
    shifts_ : (d, n_nodes or n_draws) float64
        The delta of each feature.

    Notes
    -----
    Source: Vincent et al. 2025. The quantiles replace its Monte-Carlo estimate of the mean; for the maximum
    they are a choice of their own, with a smaller largest delta than many random draws have.
    """

    requires: ClassVar[frozenset[str]] = frozenset()
    version: ClassVar[int] = 3
    detector_: Any
    shifts_: FloatArray

    def __init__(
        self,
        aggregate: str = "mean",
        draws: str = "quantile",
        *,
        n_nodes: int = 64,
        n_draws: int = 200,
        random_state: int = 0,
    ) -> None:
        self.aggregate = aggregate
        self.draws = draws
        self.n_nodes = n_nodes
        self.n_draws = n_draws
        self.random_state = random_state

    @one_thread()
    def fit(self, detector: Any, background: ArrayLike) -> Self:
        """Take a fitted detector, and from `background` (n, d) the number of features.

        Raises
        ------
        InputError
            For an unknown `aggregate` or `draws`, a setting out of range, a bad background, or a detector
            with neither `score_tensor` nor `decision_function`.
        """
        find("aggregate", self.aggregate, AGGREGATES)
        draw = find("draws", self.draws, DRAWS)
        at_least(1, n_nodes=self.n_nodes, n_draws=self.n_draws)
        at_least(0, random_state=self.random_state)
        self.n_features_in_ = matrix(background, "background", min_rows=1).shape[1]
        change_scores(detector)
        self.detector_ = detector
        self.shifts_ = draw(self, self.n_features_in_)
        return self

    @one_thread()
    def explain(self, X: ArrayLike) -> FloatArray:
        """Return the attributions (n, d) for rows (n, d), in [0, 1]; higher = more responsible.

        In each row the largest is 1 and the smallest 0; a row whose features all move the score equally gets
        zeros.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If `X` is not finite or has another number of columns than the background, or if the detector's
            scores are not finite.
        """
        rows = self._fitted_rows(X)
        attributions = np.empty_like(rows)
        for target, row in zip(attributions, rows, strict=True):
            target[:] = min_max(self._effects(row))
        return attributions

    def _effects(self, row: FloatArray) -> FloatArray:
        """Return the aggregated effects (d,) of one row (d,)."""
        scores, features = change_scores(self.detector_), np.arange(len(row))
        values = row[:, None] + self.shifts_
        _, moves = moves_of_changes(scores, row[None], features[None], values[None])
        return AGGREGATES[self.aggregate](np.abs(moves[0]), self.shifts_)


def min_max(values: FloatArray) -> FloatArray:
    """Return `values` scaled to run from 0 to 1; zeros if all are equal."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _quantile_shifts(explainer: DiffusionPerturbation, n_features: int) -> FloatArray:
    return np.tile(quantile_nodes(explainer.n_nodes, NoiseSchedule()), (n_features, 1))


def _random_shifts(explainer: DiffusionPerturbation, n_features: int) -> FloatArray:
    schedule = NoiseSchedule()
    steps = spread_steps(explainer.n_draws, schedule.n_steps)
    rng = stream(explainer.random_state, "diffusion-perturbation", "draws")
    return rng.standard_normal((n_features, len(steps))) * schedule.sigma[steps]


def spread_steps(n_draws: int, n_steps: int) -> IntArray:
    """Return `n_draws` steps spread evenly over 0..n_steps-1, repeating evenly where there are more draws."""
    return (2 * np.arange(n_draws) + 1) * n_steps // (2 * n_draws)


DRAWS: dict[str, Callable[[DiffusionPerturbation, int], FloatArray]] = {
    "quantile": _quantile_shifts,
    "random": _random_shifts,
}
