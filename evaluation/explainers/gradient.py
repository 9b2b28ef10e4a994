"""Explainers that read the gradient of the score."""

from typing import Any, Self

import numpy as np

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.checks import matrix
from xadbench.datasets.errors import InputError
from xadbench.evaluation.detectors import Detector

from .base import missing, row_by_row


class Saliency:
    r"""Explainer by the steepness of the score: :math:`|\partial f / \partial x_i|` at the row.

    Notes
    -----
    Source: Simonyan et al. 2014, arXiv 1312.6034. It is the gradient of the score f itself; the published
    code of Vincent et al. 2025 took a softmax of the signed gradient of another function.
    """

    requires = frozenset({"gradient"})
    version = 1

    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Take the detector; `InputError` if it has no gradient. The background only gives d."""
        if reason := missing(self, detector):
            raise InputError(reason)
        self._detector: Any = detector  # what it requires is not part of the protocol
        self._n_features = matrix(background).shape[1]
        return self

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the absolute gradients (n, d) at rows (n, d)."""
        return row_by_row(self._explain_row, matrix(X, n_columns=self._n_features))

    def _explain_row(self, row: FloatArray) -> FloatArray:
        import torch  # noqa: PLC0415  # takes a second to import

        x = torch.tensor(row[None, :], requires_grad=True)
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(self._detector.score_tensor(x).sum(), x)
        values: FloatArray = np.abs(gradient[0].numpy())
        return values
