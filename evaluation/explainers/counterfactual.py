"""The smallest change that would have made a row normal, found by its gradient."""

from typing import Any, Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least, matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.scale import Scale
from xadbench.evaluation.components.protocols import Detector, missing

from .base import row_by_row

NORMAL_SHARE = 0.95  # of the background scores below the threshold
STEPS_PER_ROW = 20  # that the row's largest z-score is divided into


class Counterfactual:
    r"""Explainer by the smallest change that brings the score under the threshold.

    .. math:: \min_u \|u\|_1 \quad\text{subject to}\quad f(x + \sigma u) \le \tau

    with :math:`\sigma` the background's standard deviations, 1 for a constant column, and :math:`\tau` the
    95 % quantile of its scores. The attribution is :math:`|u_i|`; 0 for all features of a row
    that is below the threshold already.

    Parameters
    ----------
    max_steps
        Steps of the search, at least 1. A row that they do not bring under the threshold is named by the
        changes so far.

    Notes
    -----
    Searched by steepest descent in the norm that is minimised: each step moves the feature with the largest
    :math:`\sigma_i |\partial f / \partial x_i|`, by a 20th of the row's largest z-score or of 1, whichever is
    more. Small steps of this kind follow the L1-regularised path (forward stagewise; Hastie et al. 2007). The
    problem is that of Wachter et al. 2017, arXiv 1711.00399.
    """

    requires = frozenset({"gradient"})
    version = 1

    def __init__(self, max_steps: int = 200) -> None:
        at_least(1, max_steps=max_steps)
        self.max_steps = max_steps

    @one_thread()
    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Take the detector and the threshold; `InputError` if the detector has no gradient."""
        if reason := missing(self, detector):
            raise InputError(reason)
        rows = matrix(background, "background", min_rows=1)
        self._detector: Any = detector  # what it requires is not part of the protocol
        scale = Scale.of(rows)
        self._mean, self._std = scale.middle, scale.deviation
        self._threshold = float(np.quantile(detector.decision_function(rows), NORMAL_SHARE))
        return self

    @one_thread()
    def explain(self, X: FloatArray) -> FloatArray:
        """Return the absolute changes (n, d), in standard deviations, of rows (n, d)."""
        return row_by_row(self._explain_row, matrix(X, n_columns=len(self._mean)))

    def _explain_row(self, row: FloatArray) -> FloatArray:
        change = np.zeros_like(row)
        step = max(1.0, float(np.abs((row - self._mean) / self._std).max())) / STEPS_PER_ROW
        for _ in range(self.max_steps):
            score, gradient = self._score_and_gradient(row + change * self._std)
            steepest = np.abs(gradient).argmax()
            if score <= self._threshold or gradient[steepest] == 0:
                break
            change[steepest] -= step * np.sign(gradient[steepest])
        return np.abs(change)

    def _score_and_gradient(self, row: FloatArray) -> tuple[float, FloatArray]:
        """Return the score, and its gradient (d,) by each feature in standard deviations."""
        import torch  # noqa: PLC0415  # takes a second to import

        x = torch.tensor(row[None, :], requires_grad=True)
        with torch.enable_grad():
            score = self._detector.score_tensor(x).sum()
            (gradient,) = torch.autograd.grad(score, x)
        return float(score.detach()), gradient[0].numpy() * self._std
