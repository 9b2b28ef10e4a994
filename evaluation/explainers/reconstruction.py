"""The explainer that detectors by reconstruction bring along."""

from typing import Any, Self

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.evaluation.components.protocols import Detector, missing

from .base import row_by_row


class ReconstructionError:
    """Explainer by what a detector could not reconstruct: the squared change of each feature.

    The mean of a row's attributions is the row's score.

    Notes
    -----
    Source: of a diffusion model, Livernoche et al. 2024, arXiv 2305.18593.
    """

    requires = frozenset({"reconstruction"})
    version = 1

    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Take the detector; `InputError` if it reconstructs nothing. The background only gives d."""
        if reason := missing(self, detector):
            raise InputError(reason)
        self._detector: Any = detector  # what it requires is not part of the protocol
        self._n_features = matrix(background).shape[1]
        return self

    @one_thread()
    def explain(self, X: FloatArray) -> FloatArray:
        """Return the squared errors (n, d) of rows (n, d)."""
        rows = matrix(X, n_columns=self._n_features)
        return row_by_row(lambda row: self._detector.reconstruction_error(row[None])[0], rows)
