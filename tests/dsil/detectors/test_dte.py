import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

from xadbench.datasets import InputError
from xadbench.dsil import DTE


def quick(**settings):
    return DTE(**{"epochs": 3, **settings})


@pytest.mark.parametrize(
    ("settings", "highest"),
    [({}, 6), ({"loss": "cross_entropy"}, 6), ({"method": "inverse_gamma"}, np.inf)],
    ids=["published", "cross_entropy", "inverse_gamma"],
)
def test_planted_outliers_score_high(planted, detector, settings, highest):
    X, y = planted
    trained = DTE(epochs=60, learning_rate=1e-3, **settings).fit(X) if settings else detector
    scores = trained.decision_function(X)
    assert roc_auc_score(y, scores) > 0.9
    assert scores.dtype == np.float64
    assert ((scores >= 0) & (scores <= highest)).all()


def test_a_fit_depends_on_the_random_state_alone_and_leaves_the_global_one(planted):
    X, _ = planted
    scores = []
    for global_seed, random_state in ((1, 0), (2, 0), (2, 1)):
        torch.manual_seed(global_seed)
        before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002  # is it left alone?
        scores.append(quick(random_state=random_state).fit(X).decision_function(X))
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002  # is it left alone?
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def test_a_second_fit_starts_over_and_partial_fit_carries_on(planted):
    X, _ = planted
    detector = quick()
    first = detector.partial_fit(X).decision_function(X)
    assert detector.n_rounds_ == 1
    more = detector.partial_fit(X[:100]).decision_function(X)
    assert detector.n_rounds_ == 2
    assert np.corrcoef(first, more)[0, 1] > 0.5
    assert not np.array_equal(first, more)
    assert np.array_equal(detector.fit(X).decision_function(X), first)


def test_both_scores_agree_and_the_tensor_has_a_gradient(planted, detector):
    X, _ = planted
    x = torch.from_numpy(X[:50]).requires_grad_()
    scores = detector.score_tensor(x)
    assert np.array_equal(scores.detach().numpy(), detector.decision_function(X[:50]))
    scores.sum().backward()
    assert (x.grad.abs().sum(dim=1) > 0).all()
    assert all(weights.grad is None for weights in clone_of(detector).network_.parameters())


def clone_of(detector):
    return pickle.loads(pickle.dumps(detector))  # noqa: S301  # our own bytes


def test_a_detector_survives_pickling(planted, detector):
    X, _ = planted
    assert np.array_equal(clone_of(detector).decision_function(X), detector.decision_function(X))


def test_many_rows_are_scored_in_parts(monkeypatch, planted, detector):
    X, _ = planted
    whole = detector.decision_function(X)
    monkeypatch.setattr("xadbench.dsil.detectors.dte.ROWS_AT_ONCE", 64)
    np.testing.assert_allclose(detector.decision_function(X), whole, rtol=1e-5)
    assert detector.decision_function(X[:0]).shape == (0,)


def test_parameters_are_stored_as_given_and_survive_cloning():
    settings = {"epochs": 7, "loss": "cross_entropy", "n_bins": 5, "random_state": 3}
    assert settings.items() <= clone(DTE(**settings)).get_params().items()
    assert DTE().get_params() == {
        "method": "categorical",
        "epochs": 400,
        "batch_size": 128,
        "learning_rate": 1e-4,
        "weight_decay": 5e-4,
        "loss": "published",
        "n_steps": 400,
        "n_bins": 7,
        "contamination": 0.1,
        "device": "auto",
        "verbose": None,
        "random_state": 0,
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "guess"}, "unknown method 'guess'.*; known: categorical, inverse_gamma"),
        (
            {"method": "inverse_gamma"},
            r"X has 2 feature\(s\), expected at least 3 for method 'inverse_gamma'",
        ),
        ({"loss": "mse"}, "unknown loss 'mse'.*; known: cross_entropy, published"),
        ({"epochs": 0}, "epochs is 0, expected"),
        ({"device": "tpu"}, "unknown device 'tpu'.*; known: auto, cpu, cuda"),
        ({"random_state": -1}, "random_state is -1, expected"),
        ({"contamination": 0.6}, r"contamination is 0.6, expected a share in \(0, 0.5\]"),
    ],
)
def test_bad_parameters_are_refused_at_fit(settings, message):
    with pytest.raises(InputError, match=message):
        DTE(**settings).fit(np.zeros((4, 2)))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_single_row_is_too_few(method, detector):
    with pytest.raises(InputError, match=r"1 sample.* while a minimum of 2 is required by DTE"):
        getattr(clone_of(detector), method)(np.zeros((1, 20)))


@pytest.mark.parametrize("score", ["decision_function", "score_tensor"])
def test_a_score_before_a_fit_or_of_other_columns_is_refused(detector, score):
    rows = torch.zeros(2, 3) if score == "score_tensor" else np.zeros((2, 3))
    with pytest.raises(NotFittedError):
        getattr(DTE(), score)(rows)
    with pytest.raises(InputError, match=r"X has 3 (column\(s\)|features).* 20 "):
        getattr(detector, score)(rows)


def test_a_tensor_of_one_dimension_is_refused(detector):
    with pytest.raises(InputError, match=r"x has shape \(20,\), expected \(n, d\)"):
        detector.score_tensor(torch.zeros(20))


def test_the_threshold_leaves_the_contaminated_share_above(planted):
    X, _ = planted
    detector = quick(contamination=0.05).fit(X)
    assert detector.labels_.sum() == 20
    assert np.array_equal(detector.predict(X), detector.labels_)
    assert np.array_equal(detector.decision_scores_, detector.decision_function(X))


def test_a_row_of_weight_zero_is_not_learned_from(planted):
    X, y = planted
    cluster = np.where(y[:, np.newaxis], 2 + 0.01 * X, X)
    seeing = DTE(epochs=60, learning_rate=1e-3).fit(cluster)
    blind = DTE(epochs=60, learning_rate=1e-3).fit(cluster, sample_weight=~y)
    assert roc_auc_score(y, seeing.decision_scores_) < 0.5
    assert roc_auc_score(y, blind.decision_scores_) > 0.9


@pytest.mark.parametrize("value", [1, 0.3])
def test_equal_weights_change_no_bit(planted, value):
    X, _ = planted
    plain, weighted = quick(), quick()
    for _ in range(2):
        plain.partial_fit(X)
        weighted.partial_fit(X, sample_weight=np.full(400, value))
    assert np.array_equal(plain.decision_scores_, weighted.decision_scores_)
    assert plain.history_.equals(weighted.history_)


def test_the_history_has_a_row_an_epoch_and_grows(planted):
    X, _ = planted
    detector = quick(learning_rate=1e-3).fit(X).partial_fit(X)
    assert detector.history_.columns.tolist() == ["round", "epoch", "loss"]
    assert detector.history_["round"].tolist() == [1, 1, 1, 2, 2, 2]
    assert detector.history_["epoch"].tolist() == [1, 2, 3, 1, 2, 3]
    assert detector.history_["loss"].iloc[0] > detector.history_["loss"].iloc[-1]
    assert len(detector.fit(X).history_) == 3


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(
        InputError, match='device is "cuda", but torch finds no GPU here; choose "cpu" or "auto"'
    ):
        DTE(device="cuda").fit(np.eye(4))


def test_an_epoch_is_shown_only_if_asked_for(capsys, planted):
    quick().fit(planted[0])
    assert not capsys.readouterr().out
    quick(verbose=True).fit(planted[0])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": loss ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]


@pytest.mark.parametrize("shape", [(3, 4), (200, 1)])
def test_few_rows_or_a_single_column_simply_work(shape):
    X = np.random.default_rng(0).standard_normal(shape)
    assert np.isfinite(quick(batch_size=3).fit(X).decision_scores_).all()


def test_constant_columns_are_warned_of_once(planted):
    X = planted[0].copy()
    X[:, [3, 7]] = 1.5
    detector = quick()
    with pytest.warns(UserWarning, match="^2 of 20 columns of X are constant; first: column 3$") as caught:
        detector.fit(X)
    assert [warning.filename for warning in caught] == [__file__]
    assert np.isfinite(detector.partial_fit(X).decision_scores_).all()


def test_equal_rows_are_warned_of():
    with pytest.warns(UserWarning, match="all 9 rows of X are equal: nothing tells"):
        detector = quick(batch_size=9).fit(np.ones((9, 3)))
    assert detector.labels_.sum() == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_values_that_are_not_finite_or_too_large_are_refused(detector, value):
    X = np.ones((2, 20))
    X[1, 4] = value
    with pytest.raises(
        InputError, match=r"first: row 1, column 4|score of row 1 is nan: its values are too large"
    ):
        detector.decision_function(X)
