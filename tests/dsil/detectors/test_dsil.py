import numpy as np
import pytest
import torch
from pyod.models.knn import KNN
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from xadbench.datasets import InputError
from xadbench.dsil import (
    DSIL,
    DTE,
    DiffusionPerturbation,
)
from xadbench.dsil.detectors.base import InterruptWarning
from xadbench.dsil.detectors.retention import Cosine, Fixed
from xadbench.evaluation.components.protocols import missing
from xadbench.evaluation.explainers import Saliency

ROWS = np.arange(40.0)[:, np.newaxis]


class Column(BaseEstimator):
    """A base that scores by the first column, and remembers what each training gave it."""

    def __init__(self, epochs=30, random_state=0, stop_at=None, error=KeyboardInterrupt):
        self.epochs = epochs
        self.random_state = random_state
        self.stop_at = stop_at
        self.error = error

    def fit(self, X):
        self.seen = []
        return self.learn(X)

    def learn(self, X):
        self.seen = [*getattr(self, "seen", []), X[:, 0].tolist()]
        if len(X) == self.stop_at:
            raise self.error("no more")
        return self

    def decision_function(self, X):
        return X[:, 0].copy()


class Carrying(Column):
    def partial_fit(self, X):
        return self.learn(X)


class Plain:
    """A base without parameters."""

    def fit(self, X):
        self.mean = X.mean(axis=0)

    def decision_function(self, X):
        return np.abs(X - self.mean).sum(axis=1)


def by_hand(base, X, ratio, iterations):
    """DSIL with the paper's settings, in a loop."""
    base = clone(base).set_params(epochs=base.epochs // iterations)
    base.partial_fit(X)
    for _ in range(iterations - 1):
        kept = np.argsort(base.decision_function(X), kind="stable")[: round(ratio * len(X))]
        base.partial_fit(X[np.sort(kept)])
    return base.decision_function(X)


def test_the_defaults_give_the_bits_of_a_plain_loop(planted):
    X, _ = planted
    detector = DSIL(DTE(epochs=9), iterations=4, random_state=3).fit(X)
    assert np.array_equal(detector.decision_function(X), by_hand(DTE(epochs=9, random_state=3), X, 0.5, 4))


def test_every_iteration_chooses_among_all_rows():
    detector = DSIL(Carrying(), Cosine(0.2, 0.8), iterations=3).fit(ROWS[:10])
    assert detector.detector_.seen == [list(range(10)), [0, 1], [0, 1, 2, 3]]
    assert detector.kept_.tolist() == [True] * 4 + [False] * 6
    assert detector.history_["iteration"].tolist() == [1, 2, 3]
    assert detector.history_["n_rows"].tolist() == [10, 2, 4]
    assert detector.history_["ratio"].tolist() == pytest.approx([1.0, 0.2, 0.35])


def test_planted_outliers_leave_the_rows_and_score_high(planted):
    X, y = planted
    detector = DSIL(DTE(epochs=60, learning_rate=1e-3), iterations=4).fit(X, y)
    assert not (y & detector.kept_).any()
    assert detector.kept_.sum() == 200
    assert detector.history_["n_rows"].tolist() == [400, 200, 200, 200]
    assert detector.history_["anomalies_kept"].iloc[[0, -1]].tolist() == [1, 0]
    assert detector.history_["loss"].iloc[-1] == detector.detector_.history_["loss"].iloc[-1]
    assert roc_auc_score(y, detector.decision_function(X)) > 0.95


@pytest.mark.parametrize("selection", ["deterministic", "probabilistic"])
def test_labels_change_nothing_but_their_column(planted, selection):
    X, y = planted
    with_y, without = (
        DSIL(DTE(epochs=4), iterations=2, selection=selection).fit(X, labels) for labels in (y, None)
    )
    assert np.array_equal(with_y.iteration_scores_, without.iteration_scores_)
    assert np.array_equal(with_y.kept_, without.kept_)
    assert with_y.history_.drop(columns="anomalies_kept").equals(
        without.history_.drop(columns="anomalies_kept")
    )
    assert with_y.history_["anomalies_kept"].tolist() == [1, with_y.kept_[y].mean()]
    assert without.history_["anomalies_kept"].isna().all()


@pytest.mark.parametrize("y", [np.full(40, 2), np.zeros(40), ["a"] * 40])
def test_labels_without_anomalies_or_with_other_values_tell_nothing(y):
    assert DSIL(Column(), iterations=2).fit(ROWS, y).history_["anomalies_kept"].isna().all()


def test_the_scores_of_every_iteration_are_kept(planted):
    X, _ = planted
    detector = DSIL(DTE(epochs=6), iterations=3, contamination=0.05).fit(X)
    assert detector.iteration_scores_.shape == (3, 400)
    assert np.array_equal(detector.iteration_scores_[0], by_hand(DTE(epochs=2), X, 0.5, 1))
    assert np.array_equal(detector.iteration_scores_[-1], detector.decision_scores_)
    assert np.array_equal(detector.decision_scores_, detector.decision_function(X))
    assert detector.predict(X).sum() == detector.labels_.sum() == 20


def test_the_base_is_cloned_and_its_epochs_are_shared(planted):
    base = DTE(epochs=7, random_state=5)
    before = base.get_params()
    detector = DSIL(base, iterations=3, random_state=2).fit(planted[0])
    assert base.get_params() == before
    assert not hasattr(base, "network_")
    assert detector.detector_.get_params() == {**before, "epochs": 2, "random_state": 2}
    assert detector.detector_.n_rounds_ == 3


def test_epochs_may_be_full():
    detector = DSIL(Carrying(epochs=2), iterations=3, epochs="full").fit(ROWS)
    assert detector.detector_.epochs == 2
    assert len(detector.detector_.seen) == 3


@pytest.mark.parametrize("iterations", [2, 3])
def test_fresh_weights_come_from_a_random_state_of_each_iteration(iterations):
    fresh = DSIL(Carrying(), iterations=iterations, weights="fresh", random_state=1).fit(ROWS).detector_
    again = DSIL(Carrying(), iterations=iterations, weights="fresh", random_state=1).fit(ROWS).detector_
    other = DSIL(Carrying(), iterations=5 - iterations, weights="fresh", random_state=1).fit(ROWS).detector_
    assert len(fresh.seen) == 1
    assert fresh.random_state == again.random_state != other.random_state


def test_a_base_that_cannot_carry_on_is_fitted_anew():
    detector = DSIL(Column(), iterations=3, random_state=4).fit(ROWS)
    assert detector.detector_.seen == [list(range(20))]
    assert detector.detector_.random_state == 4


def test_rows_may_be_drawn_by_chance():
    kept = [
        DSIL(Column(), iterations=2, selection="probabilistic", random_state=seed).fit(ROWS).kept_
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(kept[0], kept[1])
    assert not np.array_equal(kept[0], kept[2])
    assert not np.array_equal(kept[0], np.arange(40) < 20)


def test_every_iteration_draws_anew():
    detector = DSIL(Carrying(), iterations=3, selection="probabilistic").fit(ROWS)
    assert detector.detector_.seen[1] != detector.detector_.seen[2]


@pytest.mark.parametrize("base", [KNN(), IsolationForest(n_estimators=20), Plain()])
def test_any_detector_can_be_iterated_whichever_way_scikit_learn_scores(planted, base):
    X, y = planted
    X = X * (1 + 2 * y[:, np.newaxis])
    detector = DSIL(base, Fixed(0.6), iterations=3).fit(X, y)
    assert detector.history_["anomalies_kept"].iloc[-1] < 0.3
    assert roc_auc_score(y, detector.decision_function(X)) > 0.8
    assert detector.detector_ is not base
    assert not hasattr(base, "decision_scores_")


@pytest.mark.parametrize(("stop_at", "finished"), [(32, 1), (28, 2), (20, 3)])
@pytest.mark.parametrize("base", [Column, Carrying])
def test_an_interrupt_leaves_the_last_finished_iteration(base, stop_at, finished):
    detector = DSIL(base(stop_at=stop_at), Cosine(0.8, 0.2), iterations=4)
    with (
        pytest.warns(InterruptWarning, match=f"that of {finished} of 4 iterations, ready for use"),
        pytest.raises(KeyboardInterrupt),
    ):
        detector.fit(ROWS)
    assert len(detector.history_) == len(detector.iteration_scores_) == finished
    assert detector.kept_.sum() == detector.history_["n_rows"].iloc[-1] == len(detector.detector_.seen[-1])
    assert np.array_equal(detector.decision_scores_, detector.decision_function(ROWS))
    assert detector.predict(ROWS).sum() == detector.labels_.sum() == 4


def test_an_interrupt_of_the_first_iteration_leaves_what_was_before():
    detector = DSIL(Column(stop_at=40), iterations=2)
    with pytest.raises(KeyboardInterrupt):
        detector.fit(ROWS)
    with pytest.raises(NotFittedError):
        detector.decision_function(ROWS)
    detector.fit(ROWS[:30])
    with pytest.raises(KeyboardInterrupt):
        detector.fit(np.hstack([ROWS, ROWS]))
    assert len(detector.kept_) == 30
    assert detector.decision_function(ROWS).shape == (40,)


def test_an_interrupt_of_the_scoring_leaves_the_iteration_before(monkeypatch):
    evaluate, evaluated = DSIL._score_round, []

    def evaluate_once(self, rows):
        evaluated.append(len(rows))
        if len(evaluated) == 2:
            raise KeyboardInterrupt
        evaluate(self, rows)

    monkeypatch.setattr(DSIL, "_score_round", evaluate_once)
    detector = DSIL(Carrying(), iterations=3)
    with pytest.warns(InterruptWarning), pytest.raises(KeyboardInterrupt):
        detector.fit(ROWS)
    assert len(detector.detector_.seen) == len(detector.history_) == 1


def test_an_interrupted_network_is_the_one_before_to_the_bit(planted, monkeypatch):
    X, _ = planted
    detector, whole = DSIL(DTE(epochs=6), iterations=3), DSIL(DTE(epochs=6), iterations=3).fit(X)
    partial_fit = DTE.partial_fit

    def interrupted(self, rows):
        partial_fit(self, rows)
        if self.n_rounds_ == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(DTE, "partial_fit", interrupted)
    with pytest.warns(InterruptWarning), pytest.raises(KeyboardInterrupt):
        detector.fit(X)
    assert np.array_equal(detector.decision_function(X), whole.iteration_scores_[1])


def test_what_the_base_refuses_is_told_with_the_iteration():
    with pytest.raises(InputError, match="Column, in iteration 2: no more"):
        DSIL(Column(stop_at=20, error=ValueError), iterations=3).fit(ROWS)
    with pytest.raises(InputError, match="KNN, in iteration 2: "):
        DSIL(KNN(n_neighbors=30), iterations=3).fit(ROWS)


@pytest.mark.parametrize("scores", [lambda X: np.full(len(X), np.nan), lambda X: X, lambda X: X[1:, 0]])
def test_scores_that_are_not_one_number_a_row_are_refused(monkeypatch, scores):
    monkeypatch.setattr(Column, "decision_function", lambda _, X: scores(np.hstack([X, X])))
    with pytest.raises(InputError, match="scores of Column are not one finite number a row"):
        DSIL(Column(), iterations=2).fit(ROWS)


def test_a_detector_over_a_foreign_base_cannot_be_saved(tmp_path):
    with pytest.raises(InputError, match=r"base is of KNN, which cannot be saved"):
        DSIL(KNN(), iterations=2).fit(ROWS).save(tmp_path / "detector")


def test_iterations_are_reported_in_lines_where_there_is_no_terminal(planted, capsys):
    DSIL(DTE(epochs=2, verbose=True), iterations=2, verbose=True).fit(planted[0])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("iteration 1/2: ratio 1, n_rows 400, loss 1.9")
    assert second.startswith("iteration 2/2: ratio 0.5, n_rows 200, loss 1.9")
    DSIL(Column(), iterations=2).fit(ROWS)
    assert capsys.readouterr() == ("", "")


def test_both_scores_agree(planted):
    X, _ = planted
    detector = DSIL(DTE(epochs=2), iterations=2).fit(X)
    x = torch.from_numpy(X).requires_grad_()
    scores = detector.score_tensor(x)
    assert np.array_equal(scores.detach().numpy(), detector.decision_function(X))
    assert scores.requires_grad


def test_a_gradient_is_offered_only_where_the_base_has_one(planted):
    X, _ = planted
    detector = DSIL(KNN(), iterations=2).fit(X)
    assert hasattr(DSIL(), "score_tensor")
    assert hasattr(DSIL(DSIL(DTE())), "score_tensor")
    assert not hasattr(detector, "score_tensor")
    assert not hasattr(DSIL(detector), "score_tensor")
    assert (
        missing(Saliency(), detector)
        == "the explainer needs a gradient, and the detector has no score_tensor"
    )
    assert missing(Saliency(), DSIL()) is None
    assert DiffusionPerturbation(n_nodes=4).fit(detector, X).explain(X[:2]).shape == (2, 20)


def test_parameters_survive_cloning():
    detector = clone(DSIL(DTE(epochs=9), retention=Fixed(0.3), iterations=4, random_state=1))
    assert detector.base.epochs == 9
    assert detector.retention == Fixed(0.3)
    assert detector.get_params()["base__epochs"] == 9


def test_the_defaults_are_the_papers():
    assert DSIL().get_params() == {
        "base": None,
        "retention": "fixed",
        "iterations": 15,
        "selection": "deterministic",
        "epochs": "shared",
        "weights": "carried_on",
        "contamination": 0.1,
        "random_state": 0,
        "verbose": None,
    }
    assert DSIL()._new_base(0).get_params() == {**DTE().get_params(), "epochs": 26}


class Greedy:
    """A retention of the user's own."""

    def __init__(self, share):
        self.share = share

    def ratio(self, t, iterations):
        return self.share


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"retention": "linear"}, "unknown retention 'linear'"),
        ({"retention": Greedy(1.5)}, r"the retention asks for a share of 1.5, expected one in \(0, 1\]"),
        ({"retention": Greedy(np.nan)}, "asks for a share of nan"),
        ({"retention": Fixed(0.3)}, "a retention of 0.3 leaves 1 of 4 rows, expected at least 2"),
        ({"iterations": 0}, "iterations is 0, expected"),
        ({"iterations": 2.0}, "iterations is 2.0, expected"),
        ({"selection": "best"}, "unknown selection 'best'.*; known: deterministic, probabilistic"),
        ({"epochs": 60}, "unknown epochs 60; known: full, shared"),
        ({"weights": "frozen"}, "unknown weights 'frozen'.*; known: carried_on, fresh"),
        ({"contamination": 0.7}, "contamination is 0.7"),
        ({"random_state": -1, "base": Column()}, "random_state is -1"),
        ({"base": DTE(epochs=3)}, "3 epochs cannot be shared among 15 rounds"),
        ({"base": DTE(method="guess")}, "unknown method 'guess'"),
        ({"base": DTE}, "base is DTE, expected an unfitted detector with fit and decision_function"),
        ({"base": "knn"}, "base is str, expected"),
    ],
)
def test_bad_parameters_are_refused_at_fit(settings, message):
    with pytest.raises(InputError, match=message):
        DSIL(**settings).fit(np.zeros((4, 2)))


def test_rows_are_scored_once_an_iteration(monkeypatch):
    calls = []
    monkeypatch.setattr(Column, "decision_function", lambda _, X: calls.append(len(X)) or X[:, 0])
    DSIL(Column(), iterations=3).fit(ROWS)
    assert calls == [40, 40, 40]


def test_constant_columns_are_told_once(planted):
    X = np.hstack([planted[0], np.ones((400, 1))])
    with pytest.warns(UserWarning, match="1 of 21 columns of X are constant") as reported:
        DSIL(DTE(epochs=2), iterations=2).fit(X)
    assert [warning.filename for warning in reported] == [__file__]


def test_labels_of_another_length_are_refused():
    with pytest.raises(InputError, match=r"y has shape \(3,\), expected \(40,\)"):
        DSIL(Column(), iterations=2).fit(ROWS, [0, 1, 0])


@pytest.mark.parametrize("score", ["decision_function", "score_tensor"])
def test_a_score_before_a_fit_is_refused(score):
    with pytest.raises(NotFittedError):
        getattr(DSIL(), score)(torch.zeros(2, 3))


def test_epochs_are_not_shared_by_a_base_that_starts_over():
    assert DSIL(Column(), iterations=3).fit(ROWS).detector_.epochs == 30
    assert DSIL(DTE(epochs=6, batch_size=40), iterations=3).fit(ROWS).detector_.epochs == 2
