import numpy as np
from xadbench_example import FromMedian, Replacement

from xadbench.datasets.sources.loading import load_dataset
from xadbench.evaluation.conformance.testing import DetectorContract, ExplainerContract

SUITE = "suite.yaml"


class TestReplacement(ExplainerContract):
    """What every explainer must keep."""

    def make(self, random_state):
        return Replacement(random_state=random_state)


class TestFromMedian(DetectorContract):
    """What every detector must keep."""

    def make(self, random_state):  # noqa: ARG002  # it draws nothing
        return FromMedian()


def test_a_row_far_off_scores_highest():
    X = np.random.default_rng(0).standard_normal((50, 3))
    scores = FromMedian().fit(X).decision_function(np.vstack([X, np.full((1, 3), 20.0)]))
    assert scores.argmax() == 50


def test_the_data_set_knows_its_ground_truth():
    table = load_dataset("example_sensors", run_code=True)
    assert table.y.sum() == 30
    assert set(table.mask.sum(axis=1)) == {0, 1, 2}


def test_it_finds_most_ground_truth(xadbench_score):
    scores = xadbench_score(Replacement, suite=SUITE)
    assert scores["example_median"]["mean"] > 0.5
