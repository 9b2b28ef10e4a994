"""An explainer, a detector and a data set, by the names that pyproject.toml gives them."""

import numpy as np
from sklearn.base import BaseEstimator

from xadbench.datasets import LabelledTable


class Replacement:
    """Mean fall of the score with a value replaced by others of its feature.

    Parameters
    ----------
    n_draws
        Rows of the background whose values replace it.
    random_state
        Decides which rows.
    """

    version = 1  # raise it when results change for a reason outside of this file

    def __init__(self, n_draws=50, random_state=0):
        self.n_draws = n_draws
        self.random_state = random_state

    def fit(self, detector, background):
        """Keep the detector, and draw from the background."""
        rng = np.random.default_rng(self.random_state)
        self.detector_ = detector
        self.others_ = background[rng.integers(len(background), size=self.n_draws)]
        return self

    def explain(self, X):
        """Return the attribution of each value, as an array like X; higher is more responsible."""
        return np.vstack([self._of_row(row) for row in X]).reshape(X.shape)

    def _of_row(self, row):
        """Return the attributions by this row alone: the others of a batch do not matter."""
        n_features = len(row)
        replaced = np.tile(row, (n_features, self.n_draws, 1))
        for feature in range(n_features):
            replaced[feature, :, feature] = self.others_[:, feature]
        scores = self.detector_.decision_function(replaced.reshape(-1, n_features))
        return self.detector_.decision_function(row[None])[0] - scores.reshape(n_features, -1).mean(axis=1)


class FromMedian(BaseEstimator):
    """Largest distance of a row's values from their medians, in median absolute deviations."""

    version = 1

    def fit(self, X):
        """Learn from rows without labels."""
        self.median_ = np.median(X, axis=0)
        deviation = np.median(np.abs(X - self.median_), axis=0)
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        return self

    def decision_function(self, X):
        """Return a score for each row; higher is more anomalous."""
        return (np.abs(X - self.median_) / self.scale_).max(axis=1)


def sensors():
    """Return 600 readings of four sensors, of which 30 have one or two that are stuck at a wrong value.

    (X, y) would do, or (X, y, mask) where the ground truth is known; with a LabelledTable more can be said.
    """
    rng = np.random.default_rng(7)
    clean = rng.standard_normal((600, 1)) + 0.3 * rng.standard_normal((600, 4))
    mask = np.zeros(clean.shape, dtype=bool)
    for row in range(30):
        mask[row, rng.choice(4, size=1 + row % 2, replace=False)] = True
    return LabelledTable(
        X=np.where(mask, 5.0, clean),
        y=mask.any(axis=1),
        mask=mask,
        clean=clean,
        feature_names=("north", "east", "south", "west"),
        provenance={"source": "xadbench-example", "what": "four sensors of one quantity"},
    )
