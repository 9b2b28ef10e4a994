"""Several detectors of one data set, averaged: each is blind to anomalies that another sees."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from scipy.stats import median_abs_deviation

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError

from .base import Detector, Interrupted
from .dsil import DSIL
from .iterative_base import fit_base, new_base, scores_of
from .neighbours import Neighbours
from .retention import Fixed
from .tails import Tails

FARTHEST = 20.0  # robust units; beyond, one cell would outweigh all the others of its row


class Ensemble(Detector):
    """Detector by the mean of its members' scores, each in robust units.

    The members see every feature in units of its median absolute deviation from its median, cut off at 20 of
    them. A score counts in the same units of its own: those of its scores of the training rows. So a member
    that is sure of a row outweighs others that are indifferent, which an average of ranks would not allow.

    Parameters
    ----------
    members
        Unfitted detectors, each with `fit` and `decision_function`, as the base of `DSIL`; they are copied,
        never changed. None stands for the three that `tuned_members` returns.
    contamination
        Share of the training rows above `threshold_`, in (0, 0.5].

    Attributes
    ----------
    members_ : list
        The trained copies of the members.
    location_, scale_ : (d,) float64
        Median and unit of each feature.
    score_location_, score_scale_ : (members,) float64
        Median and unit of each member's scores of the training rows.
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`.

    Notes
    -----
    Source of averaging standardised scores: Aggarwal & Sathe 2015, "Theoretical foundations and algorithms
    for outlier ensembles". How the members were chosen, and on what: `docs/decisions/0012`.
    """

    version: ClassVar[int] = 1
    members_: list[Any]
    location_: FloatArray
    scale_: FloatArray
    score_location_: FloatArray
    score_scale_: FloatArray

    def __init__(self, members: Sequence[Any] | None = None, contamination: float = 0.1) -> None:
        self.members = members
        self.contamination = contamination

    def _learn(self, rows: FloatArray) -> None:
        members = tuned_members() if self.members is None else self.members
        if not len(members):
            raise InputError("members is empty, expected at least one detector")
        self.members_ = [new_base(member, {}) for member in members]
        self.location_, self.scale_ = robust_units(rows)
        robust = self._robust(rows)
        for member in self.members_:
            _fit_whole(member, robust)
        self.score_location_, self.score_scale_ = robust_units(self._scores_of_members(robust))

    def _scores(self, rows: FloatArray) -> FloatArray:
        scores = self._scores_of_members(self._robust(rows))
        mean: FloatArray = ((scores - self.score_location_) / self.score_scale_).mean(axis=1)
        return mean

    def _robust(self, rows: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            return np.clip((rows - self.location_) / self.scale_, -FARTHEST, FARTHEST)

    def _scores_of_members(self, robust: FloatArray) -> FloatArray:
        """Return the scores (n, members)."""
        return np.column_stack([scores_of(member, robust, 0) for member in self.members_])


def tuned_members() -> list[DSIL]:
    """Return DSIL over three views of a row: what surrounds it, the same by covariance, and its tails."""
    views = (Neighbours(), Neighbours(metric="mahalanobis"), Tails())
    return [DSIL(view, Fixed(0.6), iterations=8) for view in views]


def robust_units(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return median and unit (d,) of each column of `values` (n, d): the median absolute deviation.

    The deviation is scaled to be the standard deviation of a Gaussian. Where it is 0, since more than half of
    the values are equal, the standard deviation stands in; 1 where they all are.
    """
    scale = np.asarray(median_abs_deviation(values, axis=0, scale="normal"))
    for fallback in (values.std(axis=0), 1.0):
        scale = np.where(scale > 0, scale, fallback)
    return np.median(values, axis=0), scale


def _fit_whole(member: Any, rows: FloatArray) -> None:
    try:
        fit_base(member, rows, 0)
    except (
        Interrupted
    ) as interrupt:  # the member keeps what it has; the ensemble, which has no whole, nothing
        raise KeyboardInterrupt(*interrupt.args) from None
