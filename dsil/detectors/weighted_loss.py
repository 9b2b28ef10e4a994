"""The weighted loss: train on all rows, those the less that look anomalous."""

from collections.abc import Iterator
from copy import deepcopy
from inspect import signature
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import InputError

from .iterative_base import Iterated, fit_base, last_loss, mean_over, scores_of


class WeightedLoss(Iterated):
    r"""Detector that learns from all rows, each with a weight that its own scores decide.

    The first round trains the base with equal weights. Every further round trains on, with weights from the
    scores s of the round before,

    .. math:: w_i = 1 / (1 + e^{z_i}), \quad
              z_i = \frac{s_i - m}{\tau \min(m - \min s,\ \max s - m)}, \quad m = \mathrm{median}\, s

    Among these rounds the one is kept in which the smallest share of rows went from one half of the ranks to
    the other, against the round before; the earliest, if several are equal.

    Parameters
    ----------
    base
        The detector to train; None stands for `DTE()`. Its `fit` takes a `sample_weight`. Where it has a
        `partial_fit` that does so too, weights of the network carry on from round to round; otherwise each
        round fits a new copy. It is copied, never changed; `random_state` replaces its own.
    rounds
        How often to train, at least 1; 1 is the base alone.
    tau
        Softness of the weights, above 0. The nearer extreme of the scores gets a weight of
        1 / (1 + exp(-1/tau)) or 1 minus that: 0.993 and 0.007 at the default.
    epochs
        "shared": the base's `epochs` are shared among the rounds, so that it trains as long as `DSIL` does.
        "full": each round trains for all of them. Without effect on a base that has no `epochs` or no
        `partial_fit`.
    contamination
        Share of the training rows above `threshold_`, in (0, 0.5].
    random_state
        Seed, at least 0.
    verbose
        Whether to report every round, on a bar or in lines; the base then does not report. None: on a
        terminal alone, and once the fit has taken 2 seconds.

    Attributes
    ----------
    detector_
        The copy of the base as the round kept left it.
    history_ : DataFrame
        A row for each round: its number `round`, from 1; `loss`, of the base's last epoch, NaN where the base
        records none; `changed`, the share of rows in another half than in the round before, NaN at first;
        `anomalies_weight`, the mean weight of the true anomalies, NaN where `fit` was given no labels.
    round_ : int
        The number of the round kept.
    sample_weight_ : (n,) float64
        The weights that it was trained with, in [0, 1].
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`, of the round kept.

    Raises
    ------
    InputError
        From `fit`, for bad parameters, and for a base that takes no `sample_weight`.

    Notes
    -----
    Source: Kim et al. 2024, arXiv 2309.09436, as in the experiments of Vincent et al. 2025. Our reference
    gives neither tau, nor whether networks carry on, nor how to measure the change; these are our choices. A
    row is in the upper half if its score is above the median. If the median is the lowest or the highest
    score, the weights are the limit for a spread near 0: 1 below the median, 1/2 at it and 0 above.
    """

    version: ClassVar[int] = 1
    unit: ClassVar[str] = "round"
    round_: int
    sample_weight_: FloatArray

    def __init__(
        self,
        base: Any = None,
        rounds: int = 5,
        *,
        tau: float = 0.2,
        epochs: str = "shared",
        contamination: float = 0.1,
        random_state: int = 0,
        verbose: bool | None = None,
    ) -> None:
        self.base = base
        self.rounds = rounds
        self.tau = tau
        self.epochs = epochs
        self.contamination = contamination
        self.random_state = random_state
        self.verbose = verbose

    def _n_rounds(self) -> int:
        at_least(1, rounds=self.rounds)
        return self.rounds

    def _rounds(self, rows: FloatArray, anomalies: BoolArray | None) -> Iterator[dict[str, float]]:
        if not (self.tau > 0 and np.isfinite(self.tau)):
            raise InputError(f"tau is {self.tau}, expected a number above 0")
        detector, weights, least = None, np.ones(len(rows)), np.inf
        half: BoolArray | None = None
        for number in range(1, self.rounds + 1):
            detector = self._trained(detector, rows, weights)
            scores = scores_of(detector, rows, self.random_state)
            upper = scores > np.median(scores)
            changed = np.nan if half is None else float((upper != half).mean())
            half = upper
            if number == 1 or changed < least:
                self.detector_, self.round_, self.sample_weight_ = detector, number, weights
                self._score_round(rows)
                least = np.inf if number == 1 else changed
            yield {
                "loss": last_loss(detector),
                "changed": changed,
                "anomalies_weight": mean_over(anomalies, weights),
            }
            weights = row_weights(scores, self.tau)

    def _trained(self, before: Any, rows: FloatArray, weights: FloatArray) -> Any:
        """Return the detector of the round after `before`, which stays as it is."""
        carry_on = before is not None and takes_weights(before, "partial_fit")
        detector = deepcopy(before) if carry_on else self._new_base(self.random_state)
        for method in ("partial_fit", "fit"):
            if takes_weights(detector, method):
                fit_base(detector, rows, self.random_state, method=method, sample_weight=weights)
                return detector
        raise InputError(f"base is {type(detector).__name__}, whose fit takes no sample_weight")


def takes_weights(detector: Any, method: str) -> bool:
    """Return whether a detector has this method, with a parameter `sample_weight`."""
    return hasattr(detector, method) and "sample_weight" in signature(getattr(detector, method)).parameters


def row_weights(scores: FloatArray, tau: float) -> FloatArray:
    """Return the weights (n,), in [0, 1], that `WeightedLoss` gives rows with these scores (n,)."""
    middle = np.median(scores)
    scale = tau * min(middle - scores.min(), scores.max() - middle)
    if scale == 0:
        return np.heaviside(middle - scores, 0.5)
    with np.errstate(over="ignore"):  # infinity is as good: its weight is 0 or 1
        weights: FloatArray = expit((middle - scores) / scale)
    return weights
