import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyod.models.knn import KNN
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from xadbench.datasets import InputError
from xadbench.dsil import DTE, WeightedLoss, load
from xadbench.dsil.detectors.base import InterruptWarning
from xadbench.dsil.detectors.weighted_loss import row_weights

ROWS = np.arange(4.0)[:, np.newaxis]
SCORES = np.array([[0.0, 1, 2, 3], [3, 2, 1, 0], [3, 2, 0, 1], [3, 0, 2, 1]])


class Scripted(BaseEstimator):
    """A base whose k-th training gives the k-th of `SCORES`, and which remembers its weights."""

    def __init__(self, stop_at=5):
        self.stop_at = stop_at

    def fit(self, X, sample_weight):
        self.given = []
        return self.partial_fit(X, sample_weight)

    def partial_fit(self, X, sample_weight):
        self.given = [*getattr(self, "given", []), sample_weight]
        if len(self.given) == self.stop_at:
            raise KeyboardInterrupt
        return self

    def decision_function(self, X):
        return SCORES[len(self.given) - 1]


class Once(Scripted):
    """The same, but it cannot carry on."""

    partial_fit = property()

    def fit(self, X, sample_weight):
        self.given = [sample_weight]


@given(arrays(float, st.integers(2, 30), elements=st.floats(-1e9, 1e9)), st.floats(0.01, 10))
def test_weights_fall_from_1_to_0_and_are_a_half_at_the_median(scores, tau):
    weights = row_weights(scores, tau)
    assert ((weights >= 0) & (weights <= 1)).all()
    assert (np.diff(weights[np.argsort(scores)]) <= 0).all()
    assert (weights[scores == np.median(scores)] == 0.5).all()


def test_weights_have_the_closed_form():
    weights = row_weights(np.array([0.0, 1.0, 2.0, 5.0, 12.0]), tau=0.5)
    np.testing.assert_allclose(weights, 1 / (1 + np.exp([-2.0, -1.0, 0.0, 3.0, 10.0])))


def test_weights_take_any_scale():
    weights = row_weights(np.array([-1e-200, 0.0, 1e200]), tau=0.2)
    np.testing.assert_allclose(weights, [1 / (1 + np.exp(-5)), 0.5, 0])


@pytest.mark.parametrize("scores", [[0.0, 0, 0, 5], [5.0, 5, 5, 0], [1.0, 1, 1, 1]])
def test_a_median_at_the_edge_splits_the_rows(scores):
    scores = np.array(scores)
    assert row_weights(scores, 0.2).tolist() == np.heaviside(np.median(scores) - scores, 0.5).tolist()


def test_weights_come_from_the_round_before_and_the_steadiest_round_is_kept():
    detector = WeightedLoss(Scripted(), rounds=4, tau=0.5).fit(ROWS, [1, 0, 0, 0])
    assert detector.history_["round"].tolist() == [1, 2, 3, 4]
    assert np.array_equal(detector.history_["changed"], [np.nan, 1, 0, 0.5], equal_nan=True)
    assert detector.round_ == 3
    expected = [np.ones(4), row_weights(SCORES[0], 0.5), row_weights(SCORES[1], 0.5)]
    assert np.array_equal(detector.detector_.given, expected)
    assert np.array_equal(detector.sample_weight_, expected[2])
    assert np.array_equal(detector.decision_scores_, SCORES[2])
    weights = [1, expected[1][0], expected[2][0], row_weights(SCORES[2], 0.5)[0]]
    np.testing.assert_allclose(detector.history_["anomalies_weight"], weights)


def test_a_base_that_cannot_carry_on_is_fitted_anew():
    detector = WeightedLoss(Once(), rounds=3).fit(ROWS)
    assert len(detector.detector_.given) == 1
    assert detector.history_["changed"].tolist()[1:] == [0, 0]
    assert detector.round_ == 2


@pytest.mark.parametrize("stop_at", [2, 4])
def test_an_interrupt_leaves_the_best_of_the_rounds_before(stop_at):
    detector = WeightedLoss(Scripted(stop_at), rounds=4)
    with pytest.warns(InterruptWarning), pytest.raises(KeyboardInterrupt):
        detector.fit(ROWS)
    assert len(detector.history_) == stop_at - 1
    assert detector.round_ == {2: 1, 4: 3}[stop_at]
    assert len(detector.detector_.given) == detector.round_


def test_one_round_is_the_base_alone(planted):
    X, _ = planted
    alone = DTE(epochs=3, random_state=1).fit(X)
    detector = WeightedLoss(DTE(epochs=3), rounds=1, random_state=1).fit(X)
    assert np.array_equal(detector.decision_scores_, alone.decision_scores_)
    assert detector.round_ == 1


@pytest.mark.parametrize("base", [DTE(epochs=60, learning_rate=1e-3), IsolationForest(n_estimators=20)])
def test_planted_outliers_lose_their_weight_and_score_high(planted, base):
    X, y = planted
    X = X * (1 + 2 * y[:, np.newaxis])
    detector = WeightedLoss(base, rounds=3).fit(X, y)
    assert detector.sample_weight_[y].max() < detector.sample_weight_[~y].mean()
    assert roc_auc_score(y, detector.decision_function(X)) > 0.8
    assert np.array_equal(detector.decision_scores_, detector.decision_function(X))
    assert hasattr(detector, "score_tensor") == isinstance(base, DTE)


def test_a_loaded_detector_is_the_one_that_was_saved(planted, tmp_path):
    X, _ = planted
    detector = WeightedLoss(DTE(epochs=4), rounds=2).fit(X)
    read = load(detector.save(tmp_path / "detector"))
    assert np.array_equal(read.decision_function(X), detector.decision_function(X))
    assert np.array_equal(read.sample_weight_, detector.sample_weight_)
    assert read.round_ == 2


def test_labels_change_no_score(planted):
    X, y = planted
    scores = [WeightedLoss(DTE(epochs=4), rounds=2).fit(X, labels).decision_scores_ for labels in (y, None)]
    assert np.array_equal(*scores)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rounds": 0}, "rounds is 0, expected"),
        ({"tau": 0.0}, "tau is 0.0, expected a number above 0"),
        ({"tau": np.nan}, "tau is nan"),
        ({"base": KNN()}, "base is KNN, whose fit takes no sample_weight"),
        ({"base": DTE(epochs=3)}, "3 epochs cannot be shared among 5 rounds"),
        ({"epochs": "some"}, "unknown epochs 'some'"),
        ({"contamination": 0.0}, "contamination is 0.0"),
    ],
)
def test_bad_parameters_are_refused_at_fit(settings, message):
    with pytest.raises(InputError, match=message):
        WeightedLoss(**settings).fit(np.zeros((4, 2)))
