"""Explainers that fit a simple model to the score around a row."""

from importlib import import_module
from typing import Any

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least

from .rows import RowExplainer


class Lime(RowExplainer):
    """Explainer by the slopes of a linear model that is fitted to the score around the row.

    Draws from a Gaussian at the row, with the background's standard deviations; ridge regression on all
    features, weighted by nearness. The attribution is the magnitude of the slope per standard deviation: with
    Gaussian draws, LIME estimates the same slope as SmoothGrad (Agarwal et al. 2021, arXiv 2102.10618).

    Parameters
    ----------
    n_samples
        Draws, at least 2; several times d, or the slopes mean little.
    signed
        Whether to keep the sign of the slope: positive where raising the value would raise the score.
    random_state
        Seed of the draws, at least 0.

    Notes
    -----
    Source: Ribeiro et al. 2016, arXiv 1602.04938, through `lime` with `discretize_continuous=False`,
    `sample_around_instance=True` and mode "regression". There the slopes stand under label 1, and negated
    under label 0; and the default keeps 10 features, here all. Cost per row: n_samples score evaluations.
    """

    library = "lime"
    stream_name = ("lime", "draws")

    def __init__(self, n_samples: int = 5000, *, signed: bool = False, random_state: int = 0) -> None:
        at_least(2, n_samples=n_samples)
        self.n_samples = n_samples
        self.signed = signed
        self.random_state = random_state

    def _prepare(self, detector: Any, background: FloatArray) -> None:
        self._score = detector.decision_function
        self._explainer = import_module("lime.lime_tabular").LimeTabularExplainer(  # it takes a second
            background,
            mode="regression",
            discretize_continuous=False,
            sample_around_instance=True,
            feature_selection="none",
            random_state=None,  # NumPy's global state, which is seeded for every row
        )

    def _explain_row(self, row: FloatArray) -> FloatArray:
        explanation = self._explainer.explain_instance(row, self._score, num_samples=self.n_samples)
        slopes = np.zeros_like(row)
        for feature, slope in explanation.local_exp[1]:
            slopes[feature] = slope
        return slopes if self.signed else np.abs(slopes)
