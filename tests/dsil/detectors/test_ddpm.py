import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from xadbench.datasets import InputError
from xadbench.dsil import DDPM, load
from xadbench.dsil.diffusion.denoising import train
from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule
from xadbench.dsil.diffusion.training import Training
from xadbench.dsil.networks.residual import _dropped


def quick(**settings):
    return DDPM(**{"epochs": 2, "n_steps": 20, "reverse_steps": 5, **settings})


@pytest.fixture(scope="module")
def trained(planted):
    return DDPM(epochs=60, learning_rate=1e-3, n_steps=100, reverse_steps=60).fit(planted[0])


def test_planted_outliers_score_high_and_the_error_names_their_feature(planted, trained):
    X, y = planted
    assert roc_auc_score(y, trained.decision_scores_) > 0.9
    top = trained.reconstruction_error(X[y]).argmax(axis=1)
    assert (top == np.arange(20)).mean() > 0.3  # chance: 0.05


def test_a_score_is_the_mean_of_its_errors(planted, trained):
    X, _ = planted
    errors = trained.reconstruction_error(X)
    assert errors.shape == X.shape
    assert (errors >= 0).all()
    assert np.array_equal(errors.mean(axis=1), trained.decision_function(X))
    assert trained.decision_scores_.dtype == np.float64


def by_hand(weights, x, step):
    """Return the noise that the network predicts, from its weights alone: (n, d) float64."""

    def linear(name, values):
        return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name, values):
        scaled = (values - weights[f"{name}.running_mean"]) / np.sqrt(weights[f"{name}.running_var"] + 1e-5)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def silu(values):
        return values / (1 + np.exp(-values))

    angles = step * 10_000.0 ** (-np.arange(128) / 128)
    time = linear("time.2", silu(linear("time.0", np.concatenate([np.cos(angles), np.sin(angles)]))))
    x = linear("first", x) + linear("time.4", silu(time))
    for block in ("blocks.0", "blocks.1", "blocks.2"):
        hidden = linear(f"{block}.widen", norm(f"{block}.norm", x)).clip(min=0)
        x = x + linear(f"{block}.narrow", hidden)
    return linear("head.2", norm("head.0", x).clip(min=0))


def test_the_reverse_chain_is_the_one_computed_by_hand(planted, trained):
    X, _ = planted
    weights = {name: values.double().numpy() for name, values in trained.network_.state_dict().items()}
    betas = np.linspace(1e-4, 1e-2, 100)
    alpha_bars = np.cumprod(1 - betas)
    x = X
    for t in range(59, -1, -1):
        x = (x - betas[t] / np.sqrt(1 - alpha_bars[t]) * by_hand(weights, x, t)) / np.sqrt(1 - betas[t])
    np.testing.assert_allclose(trained.reconstruction_error(X), (X - x) ** 2, rtol=1e-3, atol=1e-4)


def test_rows_are_scored_alike_in_any_company(monkeypatch, planted, trained):
    X, _ = planted
    alone = np.concatenate([trained.decision_function(row[np.newaxis]) for row in X[:20]])
    np.testing.assert_allclose(trained.decision_scores_[:20], alone, rtol=1e-4)
    monkeypatch.setattr("xadbench.dsil.detectors.ddpm.ROWS_AT_ONCE", 64)
    np.testing.assert_allclose(trained.decision_function(X), trained.decision_scores_, rtol=1e-4)
    assert trained.decision_function(X[:0]).shape == (0,)
    assert trained.reconstruction_error(X[:0]).shape == (0, 20)


def test_the_tensor_agrees_and_its_gradient_is_a_difference_quotient(planted, trained):
    X, _ = planted
    x = torch.from_numpy(X[:10]).requires_grad_()
    scores = trained.score_tensor(x)
    np.testing.assert_allclose(scores.detach().numpy(), trained.decision_scores_[:10], rtol=1e-4)
    (gradient,) = torch.autograd.grad(scores.sum(), x)
    direction = gradient.numpy() / np.linalg.norm(gradient.numpy(), axis=1, keepdims=True)
    ahead, behind = (trained.decision_function(X[:10] + step * direction) for step in (0.01, -0.01))
    np.testing.assert_allclose((ahead - behind) / 0.02, np.linalg.norm(gradient.numpy(), axis=1), rtol=0.05)


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
    more = detector.partial_fit(X[:100]).decision_function(X)
    assert detector.n_rounds_ == 2
    assert detector.history_[["round", "epoch"]].to_numpy().tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]
    assert not np.array_equal(first, more)
    assert np.array_equal(detector.fit(X).decision_function(X), first)
    assert len(detector.history_) == 2


def test_the_loss_falls_from_that_of_a_network_that_predicts_nothing(trained):
    losses = trained.history_["loss"]
    assert losses[0] == pytest.approx(1.1, abs=0.2)  # noise has variance 1
    assert losses.iloc[-5:].mean() < 0.8 * losses[0]


@pytest.mark.parametrize(("n_rows", "batch_size"), [(9, 8), (2, 2), (3, 2)])
def test_a_row_left_over_alone_does_not_disturb_batch_norm(n_rows, batch_size):
    X = np.random.default_rng(0).standard_normal((n_rows, 3))
    assert np.isfinite(quick(batch_size=batch_size).fit(X).decision_scores_).all()


def test_scoring_changes_nothing(planted, trained):
    X, _ = planted
    before = {name: values.clone() for name, values in trained.network_.state_dict().items()}
    trained.decision_function(X)
    assert not trained.network_.training
    assert all(torch.equal(values, before[name]) for name, values in trained.network_.state_dict().items())


class Recorder(torch.nn.Module):
    """Stands for the network, and remembers what it was asked."""

    device = torch.device("cpu")

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x, steps, dropout):
        self.seen = x.numpy(), steps.numpy()
        return self.weight * x


def test_rows_are_noised_with_drift():
    recorder, schedule = Recorder(), NoiseSchedule(50)
    rows, training = np.full((5000, 1), 3.0), Training(batch_size=5000)
    next(train(recorder, rows, schedule, training, np.random.default_rng(0)))
    x, steps = recorder.seen
    assert set(steps) == set(range(50))
    sigma = schedule.sigma[steps]
    noise = (x[:, 0] - np.sqrt(1 - sigma**2) * 3) / sigma
    assert abs(noise.mean()) < 0.1  # 7 standard errors
    assert abs(noise.std() - 1) < 0.07


def test_early_stopping_ends_where_the_loss_has_risen_since_39_epochs_before(monkeypatch, planted):
    X, _ = planted
    losses = [1 - epoch / 100 for epoch in range(1, 81)]
    losses[21], losses[60] = 0.5, 0.55  # the 22nd epoch was better than the 61st, and no other before was
    monkeypatch.setattr("xadbench.dsil.detectors.ddpm.train", lambda *_: iter(losses))
    assert len(quick(epochs=80, early_stopping=True).fit(X).history_) == 61
    assert len(quick(epochs=80).fit(X).history_) == 80
    losses[:] = range(80)
    assert len(quick(epochs=80, early_stopping=True).fit(X).history_) == 52


def test_a_loss_that_is_not_finite_is_an_error_and_leaves_the_detector_as_it_was(planted):
    X, _ = planted
    detector = quick().fit(X)
    before = detector.decision_function(X)
    with pytest.raises(InputError, match="training diverged at epoch 1: loss is nan; lower"):
        detector.partial_fit(1e60 * X)  # infinite in single precision
    assert np.array_equal(detector.decision_function(X), before)
    assert detector.n_rounds_ == 1


def test_values_too_large_to_score_are_refused(planted, trained):
    X, _ = planted
    with pytest.raises(InputError, match="the score of row 1 is not finite: its values are too large"):
        trained.decision_function(X[:3] * [[1], [1e60], [1]])


def test_a_loaded_detector_is_the_one_that_was_saved(tmp_path, planted):
    X, _ = planted
    detector = quick().fit(X)
    loaded = load(detector.save(tmp_path / "detector"))
    assert np.array_equal(loaded.decision_function(X), detector.decision_scores_)
    assert np.array_equal(loaded.partial_fit(X).decision_scores_, detector.partial_fit(X).decision_scores_)
    assert loaded.get_params() == detector.get_params()


def test_epochs_are_shown_on_demand(planted, capsys):
    X, _ = planted
    quick().fit(X)
    assert not capsys.readouterr().out
    quick(verbose=True).fit(X)
    assert "epoch 2/2: loss" in capsys.readouterr().out


def test_dropout_drops_its_share_and_keeps_the_mean():
    dropped = _dropped(torch.ones(1000, 100), 0.3, np.random.default_rng(0))
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)  # 6 standard deviations
    ones = torch.ones(2, 2)
    assert _dropped(ones, 0.3, None) is ones
    assert _dropped(ones, 0.0, np.random.default_rng(0)) is ones


def test_parameters_are_stored_as_given_and_survive_cloning():
    settings = {"epochs": 7, "reverse_steps": 3, "dropout": (0.0, 0.1), "random_state": 3}
    assert settings.items() <= clone(DDPM(**settings)).get_params().items()
    assert DDPM().get_params() == {
        "epochs": 400,
        "batch_size": 128,
        "learning_rate": 1e-4,
        "weight_decay": 5e-4,
        "n_steps": 400,
        "reverse_steps": 250,
        "dropout": (0.4, 0.3),
        "early_stopping": False,
        "contamination": 0.1,
        "device": "auto",
        "verbose": None,
        "random_state": 0,
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs is 0, expected"),
        ({"batch_size": 1}, "batch_size is 1, expected an integer of at least 2"),
        ({"learning_rate": 0}, "learning_rate is 0, expected > 0"),
        ({"reverse_steps": 0}, "reverse_steps is 0, expected"),
        ({"reverse_steps": 21}, "reverse_steps is 21, expected at most the 20 n_steps"),
        ({"dropout": (0.4, 1.0)}, r"dropout is \(0.4, 1.0\), expected two shares"),
        ({"dropout": (0.4,)}, r"dropout is \(0.4,\), expected two shares"),
        ({"device": "abacus"}, "unknown device 'abacus'.*; known"),
        ({"random_state": -1}, "random_state is -1, expected"),
        ({"contamination": 0.6}, "contamination is 0.6, expected a share"),
    ],
)
def test_bad_parameters_are_refused_at_fit(settings, message):
    with pytest.raises(InputError, match=message):
        quick(**settings).fit(np.zeros((4, 2)))


@pytest.mark.parametrize("method", ["decision_function", "reconstruction_error", "score_tensor"])
def test_a_score_before_a_fit_or_of_other_columns_is_refused(trained, method):
    rows = torch.zeros(2, 3) if method == "score_tensor" else np.zeros((2, 3))
    with pytest.raises(NotFittedError):
        getattr(DDPM(), method)(rows)
    with pytest.raises(InputError, match=r"X has 3 (column\(s\)|features).* 20 "):
        getattr(trained, method)(rows)
    with pytest.raises(InputError, match=r"shape \(20,\)|Expected 2D array"):
        getattr(trained, method)(torch.zeros(20) if method == "score_tensor" else np.zeros(20))


@parametrize_with_checks([quick(epochs=1, batch_size=2, reverse_steps=1)])
def test_scikit_learn_finds_nothing_amiss(estimator, check):
    check(estimator)
