"""Explainers that look at one feature at a time, where their values are known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from xadbench.datasets.common.arrays import FloatArray
from xadbench.evaluation.detectors import make_detector


def normal(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape)


def test_robust_z_scores_by_hand(explain) -> None:
    background = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [1000.0, 10.0]])
    attributions = explain("robust_z", None, background, [[5.0, 5.0]])
    assert_allclose(attributions, [[3 / 1.4826, 5 / (1.2533 * 2)]])


@pytest.mark.parametrize("name", ["ecod", "copod"])
def test_tails_sum_to_the_score_of_the_detector_on_the_row_alone(name: str, explain) -> None:
    background = np.exp(normal(200, 4)) * [1, -1, 1, -1]  # skewness to either side
    X = np.vstack([background[:2], 2 * background[2:6], background[:1] + 5, background[:1] - 5])
    detector = make_detector(name, random_state=0).fit(background)
    pyod = detector.model
    alone = np.concatenate([pyod.decision_function(row[None]) for row in X])
    attributions = explain(name, detector, background, X)
    assert_allclose(attributions.sum(axis=1), alone)
    assert_allclose(detector.decision_function(X), alone)
    # The trap: in company, PyOD's own score is another.
    assert not np.allclose(pyod.decision_function(X), alone, rtol=1e-3)


def test_copod_halves_the_attribution_against_the_skewness(explain) -> None:
    background = np.exp(normal(99, 1))
    attributions = explain("copod", None, background, [[1e3], [-1e3]])
    assert_allclose(attributions, [[np.log(100)], [np.log(100) / 2]])


def test_histograms_by_hand(explain) -> None:
    background = np.array([[0.0], [0.1], [0.2], [0.3], [1.0], [2.0], [2.1], [3.0], [3.0]])
    attributions = explain("hbos", None, background, [[0.5], [1.5], [3.0], [3.01], [-0.01]])
    # Three bins with 4, 1 and 4 values, and the row's own.
    assert_allclose(attributions.ravel(), np.log([1, 2, 1, 4, 4]))
