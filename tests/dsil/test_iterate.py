import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from xadbench.datasets import InputError
from xadbench.dsil import DSIL, DTE
from xadbench.dsil.iterate import iterate, lowest
from xadbench.dsil.retention import Cosine, Fixed


class Recorder:
    """A base whose score is the first column, and which remembers what it was trained on."""

    def __init__(self):
        self.trained_on = []

    def partial_fit(self, X):
        self.trained_on.append(X[:, 0].tolist())

    def decision_function(self, X):
        return X[:, 0]


@given(arrays(float, st.integers(2, 40), elements=st.floats(-5, 5)), st.floats(0.01, 0.99))
def test_the_lowest_scores_are_kept(scores, ratio):
    kept = lowest(scores, ratio)
    assert len(kept) == max(2, round(ratio * len(scores)))
    assert (np.diff(kept) > 0).all()
    assert scores[kept].max() <= np.delete(scores, kept).min(initial=np.inf)


def test_every_iteration_chooses_among_all_rows():
    base, rows = Recorder(), np.arange(10.0)[:, np.newaxis]
    kept, history = iterate(base, rows, Cosine(0.2, 0.8), iterations=3)
    assert base.trained_on == [list(range(10)), [0, 1], [0, 1, 2, 3]]
    assert kept.tolist() == [True] * 4 + [False] * 6
    assert [step.n_rows for step in history] == [10, 2, 4]
    assert [step.ratio for step in history] == pytest.approx([1.0, 0.2, 0.35])


def test_planted_outliers_leave_the_rows_and_score_high(planted):
    X, y = planted
    detector = DSIL(DTE(epochs=60, learning_rate=1e-3), iterations=4).fit(X)
    assert not (y & detector.kept_).any()
    assert detector.kept_.sum() == 200
    assert [step.n_rows for step in detector.history_] == [400, 200, 200, 200]
    assert roc_auc_score(y, detector.decision_function(X)) > 0.95


def test_the_base_is_cloned_and_its_epochs_are_shared(planted):
    base = DTE(epochs=7, random_state=5)
    before = base.get_params()
    detector = DSIL(base, iterations=3, random_state=2).fit(planted[0])
    assert base.get_params() == before
    assert not hasattr(base, "network_")
    assert detector.detector_.get_params() == {**before, "epochs": 2, "random_state": 2}
    assert detector.detector_.n_rounds_ == 3


def test_a_fit_depends_on_the_random_state_alone_and_leaves_the_global_one(planted):
    X, _ = planted
    scores = []
    for global_seed, random_state in ((1, 0), (2, 0), (2, 1)):
        torch.manual_seed(global_seed)
        before = torch.get_rng_state()
        detector = DSIL(DTE(epochs=4), iterations=2, random_state=random_state).fit(X)
        scores.append(detector.decision_function(X))
        assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def test_both_scores_agree(planted):
    X, _ = planted
    detector = DSIL(DTE(epochs=2), iterations=2).fit(X)
    x = torch.from_numpy(X).requires_grad_()
    scores = detector.score_tensor(x)
    assert np.array_equal(scores.detach().numpy(), detector.decision_function(X))
    assert scores.requires_grad


def test_parameters_survive_cloning():
    detector = clone(DSIL(DTE(epochs=9), retention=Fixed(0.3), iterations=4, random_state=1))
    assert detector.base.epochs == 9
    assert detector.retention == Fixed(0.3)
    assert detector.get_params()["base__epochs"] == 9


def test_the_defaults_are_the_papers():
    assert DSIL().get_params() == {"base": None, "retention": "fixed", "iterations": 15, "random_state": 0}
    assert DSIL()._new_detector().get_params() == {**DTE().get_params(), "epochs": 26}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"retention": "linear"}, "unknown retention 'linear'"),
        ({"iterations": 0}, "iterations is 0, expected"),
        ({"base": DTE(epochs=3)}, "3 epochs cannot be shared among 15 iterations"),
        ({"base": DTE(method="guess")}, "unknown method 'guess'"),
    ],
)
def test_bad_parameters_are_refused_at_fit(settings, message):
    with pytest.raises(InputError, match=message):
        DSIL(**settings).fit(np.zeros((4, 2)))


@pytest.mark.parametrize("score", ["decision_function", "score_tensor"])
def test_a_score_before_a_fit_is_refused(score):
    with pytest.raises(NotFittedError):
        getattr(DSIL(), score)(torch.zeros(2, 3))
