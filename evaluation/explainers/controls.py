"""Controls: explainers whose result is known beforehand."""

from hashlib import sha256
from typing import Self

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.rng import stream
from xadbench.evaluation.components.protocols import Detector

from .base import row_by_row


class Random:
    """Explainer that draws attributions at random: what it scores is chance.

    Each row has a random stream of its own, named by the row's bytes. One stream for a whole batch would
    make a row's attributions depend on the rows before it, and so on scope, order and worker. Equal rows
    get equal attributions.

    Parameters
    ----------
    random_state
        Seed, at least 0.
    """

    requires: frozenset[str] = frozenset()
    version = 1

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, detector: Detector, background: FloatArray) -> Self:  # noqa: ARG002  # the protocol's name
        """Take the number of features from the background."""
        self._n_features = matrix(background).shape[1]
        return self

    def explain(self, X: FloatArray) -> FloatArray:
        """Return uniform numbers (n, d) in [0, 1) for rows (n, d)."""
        return row_by_row(self._explain_row, matrix(X, n_columns=self._n_features))

    def _explain_row(self, row: FloatArray) -> FloatArray:
        name = sha256((row + 0.0).astype("<f8").tobytes()).hexdigest()  # + 0.0: -0.0 equals 0.0
        return stream(self.random_state, "random", name).random(len(row))
