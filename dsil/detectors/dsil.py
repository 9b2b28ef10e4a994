"""DSIL: train, drop the rows that look anomalous, train on; so that the detector learns what is normal."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import InputError, find
from xadbench.datasets.rng import stream

from .iterative_base import Iterated, fit_base, last_loss, mean_over
from .retention import Retention, find_retention
from .selection import SELECTIONS

CARRIES_ON = {"carried_on": True, "fresh": False}


class DSIL(Iterated):
    """Detector that learns from ever cleaner samples of a contaminated data set.

    Each iteration trains the base on the rows kept, scores *all* rows, and keeps the share r_t of them with
    low scores for the next.

    Parameters
    ----------
    base
        The detector to iterate; None stands for `DTE()`. Any detector with `fit` and `decision_function`,
        such as PyOD's; see the notes. It is copied, never changed; `random_state` replaces its own.
    retention
        "fixed", "cosine" or "exponential", with the paper's ratios, or a schedule from
        `xadbench.dsil.detectors.retention`.
    iterations
        How often to train, at least 1.
    selection
        "deterministic": keep the rows with the lowest scores. "probabilistic": draw rows, the more likely
        the lower they rank; see `xadbench.dsil.detectors.selection`.
    epochs
        "shared": the base's `epochs` are shared among the iterations (400 over 15 are 26 each). "full": each
        iteration trains for all of them. Without effect on a base that has no `epochs` or no `partial_fit`.
    weights
        "carried_on": an iteration trains on from the weights of the one before, with a new optimiser, by the
        base's `partial_fit`; a base without one is fitted again each time. "fresh": every iteration fits a
        new copy of the base, with a random state of its own.
    contamination
        Share of the training rows above `threshold_`, in (0, 0.5].
    random_state
        Seed, at least 0.
    verbose
        Whether to report every iteration, on a bar or in lines; the base then does not report. None: on a
        terminal alone, and once the fit has taken 2 seconds.

    Attributes
    ----------
    detector_
        The trained copy of the base.
    history_ : DataFrame
        A row for each iteration: its number `iteration`, from 1; `ratio` and `n_rows`, the share and number
        of rows that it was trained on; `loss`, of the base's last epoch, NaN where the base records none;
        `anomalies_kept`, the share of the true anomalies that were among these rows, NaN where `fit` was
        given no labels.
    kept_ : (n,) bool
        The rows that the last iteration was trained on.
    iteration_scores_ : (iterations, n) float64
        The scores of the training rows after each iteration; the last are `decision_scores_`.
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`.

    Notes
    -----
    Source: Vincent et al. 2025, algorithm 1, whose printed choice of the *highest* scores is a misprint.

    The base scores higher = more anomalous, as PyOD's do. Scikit-learn's own outlier detectors do the
    opposite, and their scores are negated. A detector by neighbours finds a row that it was trained on among
    that row's neighbours, so rows once kept tend to stay.

    `DSIL(base).score_tensor` exists only where the base has one.

    Raises
    ------
    InputError
        From `fit`, for bad parameters, and for a retention that leaves fewer than two rows.
    """

    version: ClassVar[int] = 1
    unit: ClassVar[str] = "iteration"
    kept_: BoolArray
    iteration_scores_: FloatArray

    def __init__(
        self,
        base: Any = None,
        retention: str | Retention = "fixed",
        iterations: int = 15,
        *,
        selection: str = "deterministic",
        epochs: str = "shared",
        weights: str = "carried_on",
        contamination: float = 0.1,
        random_state: int = 0,
        verbose: bool | None = None,
    ) -> None:
        self.base = base
        self.retention = retention
        self.iterations = iterations
        self.selection = selection
        self.epochs = epochs
        self.weights = weights
        self.contamination = contamination
        self.random_state = random_state
        self.verbose = verbose

    def _n_rounds(self) -> int:
        at_least(1, iterations=self.iterations)
        return self.iterations

    def _rounds(self, rows: FloatArray, anomalies: BoolArray | None) -> Iterator[dict[str, float]]:
        find("selection", self.selection, SELECTIONS)
        find("weights", self.weights, CARRIES_ON)
        past = []
        for t, ratio in enumerate(self._ratios(len(rows))):
            chosen = self._chosen(t, round(ratio * len(rows)), len(rows))
            self.detector_ = self._trained(t, rows[chosen])
            self._score_round(rows)
            past.append(self.decision_scores_)
            self.iteration_scores_ = np.array(past)
            self.kept_ = np.isin(np.arange(len(rows)), chosen)
            yield {
                "ratio": ratio,
                "n_rows": len(chosen),
                "loss": last_loss(self.detector_),
                "anomalies_kept": mean_over(anomalies, self.kept_),
            }

    def _ratios(self, n_rows: int) -> list[float]:
        """Return the share of rows that each iteration trains on."""
        retention = find_retention(self.retention)
        ratios = [1.0, *(retention.ratio(t, self.iterations) for t in range(self.iterations - 1))]
        for ratio in ratios:
            if not 0 < ratio <= 1:
                raise InputError(f"the retention asks for a share of {ratio}, expected one in (0, 1]")
            if round(ratio * n_rows) < 2:
                left = f"{round(ratio * n_rows)} of {n_rows} rows"
                raise InputError(f"a retention of {ratio:.3g} leaves {left}, expected at least 2")
        return ratios

    def _chosen(self, t: int, n_rows: int, n_all: int) -> IntArray:
        """Return the rows that iteration t = 0, 1, ... trains on."""
        if t == 0:
            return np.arange(n_all)
        rng = stream(self.random_state, "dsil", "selection", str(t - 1))
        return SELECTIONS[self.selection](self.decision_scores_, n_rows, rng)

    def _trained(self, t: int, rows: FloatArray) -> Any:
        """Return the detector of iteration t; the one before stays as it is."""
        if CARRIES_ON[self.weights]:
            carry_on = t > 0 and hasattr(self.detector_, "partial_fit")
            detector = deepcopy(self.detector_) if carry_on else self._new_base(self.random_state)
            method = "partial_fit" if hasattr(detector, "partial_fit") else "fit"
            fit_base(detector, rows, self.random_state, method=method)
        else:
            random_state = int(stream(self.random_state, "dsil", "base", str(t)).integers(2**31))
            detector = self._new_base(random_state)
            fit_base(detector, rows, random_state)
        return detector
