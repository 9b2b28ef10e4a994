"""An explainer and a detector, as the README's commands name them."""

import numpy as np


class MyExplainer:
    """Distance of each value from its feature's mean, to a power."""

    def __init__(self, power=1):
        self.power = power

    def fit(self, detector, background):
        """Learn from training rows (n, d)."""
        self.mean, self.scale = background.mean(axis=0), background.std(axis=0)
        return self

    def explain(self, X):
        """Return an attribution for each value of X (n, d)."""
        return np.abs((X - self.mean) / np.where(self.scale > 0, self.scale, 1)) ** self.power


class MyDetector:
    """Squared distance of each row from the mean."""

    def fit(self, X):
        """Learn from training rows (n, d)."""
        self.mean = X.mean(axis=0)
        return self

    def decision_function(self, X):
        """Return a score for each row of X (n, d): the higher, the more anomalous."""
        return ((X - self.mean) ** 2).sum(axis=1)
