"""The detector that knows the network and nothing of the anomalies: -log p."""

from typing import Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray

from .base import KnowsNetwork
from .density import node_log_density


class NetworkDensity(KnowsNetwork):
    r"""Detector whose score is -log p(x) under the network, natural log, in the network's units.

    By the Neyman-Pearson lemma no other score finds uniformly spread anomalies better. An impossible row
    scores finitely, above all possible ones; see `integrate.log_density`.
    """

    def fit(self, X: FloatArray) -> Self:
        """Check the rows (n, d); there is nothing to learn."""
        self.in_units(X)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return the scores (n,) of rows (n, d); higher is more anomalous."""
        return np.asarray(-node_log_density(self.network, self.in_units(X)).sum(axis=1))
