"""The detector that knows the network and the kinds of anomalies: the likelihood ratio of the two."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from xadbench.datasets.common.arrays import FloatArray

from .base import KnowsNetwork
from .bayes import BayesModel

LEAST = -1e6  # log odds of a row that no kind can make


class LikelihoodRatio(KnowsNetwork):
    """Detector whose score is log p(x | anomaly) - log p(x | normal); by Neyman and Pearson none is better.

    Floors of kinds are left out of it, and of many sets only those among a row's candidates count.

    Parameters
    ----------
    model
        The network and the kinds.
    mean, std : (d,) float64
        What the rows were standardised with; default: not at all.
    """

    def __init__(self, model: BayesModel, mean: ArrayLike = 0.0, std: ArrayLike = 1.0) -> None:
        super().__init__(model.enumeration.clean.network, mean, std)
        self.model = model

    def fit(self, X: FloatArray) -> Self:
        """Check the rows (n, d); there is nothing to learn."""
        self.in_units(X)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return the scores (n,) of rows (n, d); higher is more anomalous."""
        return np.maximum(self.model.log_odds(self.in_units(X)), LEAST)
