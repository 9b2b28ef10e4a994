from itertools import islice

import numpy as np
import pytest
import torch

from xadbench.datasets import InputError
from xadbench.dsil.diffusion.categorical import Categorical
from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule
from xadbench.dsil.diffusion.training import Training, _epoch, denormals_flushed, relative_weights, train
from xadbench.dsil.networks.mlp import new_mlp


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": np.nan},
        {"weight_decay": -1.0},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InputError, match="expected"):
        Training(**settings)


def test_an_epoch_noises_every_row_once_as_strongly_as_its_target_says():
    sigma = np.linspace(0.1, 1, 400, dtype=np.float32)
    rows = np.repeat(10.0 * np.arange(70, dtype=np.float32)[:, np.newaxis], 2000, axis=1)
    weights = np.ones(70, np.float32)
    batches = list(_epoch(rows, weights, sigma, Categorical(), 32, rng=np.random.default_rng(0)))
    assert [len(noised) for noised, _, _ in batches] == [32, 32, 6]
    noised, targets, _ = (torch.cat(parts) for parts in zip(*batches, strict=True))
    order = (noised.mean(dim=1) / 10).round()
    assert not torch.equal(order, order.sort().values)
    assert torch.equal(order.sort().values, torch.arange(70.0))
    steps = np.interp(noised.std(dim=1), sigma, np.arange(400))
    assert np.abs(7 * steps / 400 - (targets.numpy() + 0.5)).max() < 0.8


def test_training_lowers_the_loss_and_carries_on_from_the_weights_given():
    rows = np.zeros((200, 3))
    network, objective = new_mlp(3, 7, np.random.default_rng(0)), Categorical(loss_name="cross_entropy")

    def loss():
        rng = np.random.default_rng(1)
        (noised, targets, _), *_ = _epoch(
            np.zeros((2000, 3), np.float32),
            np.ones(2000, np.float32),
            NoiseSchedule().sigma.astype(np.float32),
            objective,
            2000,
            rng=rng,
        )
        return objective.losses(network(noised), targets).mean().item()

    losses = [loss()]
    for seed in range(2):
        rng = np.random.default_rng(seed)
        settings = Training(epochs=30, learning_rate=1e-3)
        epochs = train(network, rows, objective, schedule=NoiseSchedule(), training=settings, rng=rng)
        history = list(islice(epochs, 30))
        losses.append(loss())
        assert history[-1] == pytest.approx(losses[-1], abs=0.3)
    assert losses[0] > losses[1] + 0.1 > losses[2]


def test_the_weights_of_an_epoch_go_with_their_rows():
    rows = 10.0 * np.arange(70, dtype=np.float32)[:, np.newaxis]
    weights, sigma = rows[:, 0] + 1, np.full(400, 1e-3, dtype=np.float32)
    for noised, _, own in _epoch(rows, weights, sigma, Categorical(), 32, rng=np.random.default_rng(0)):
        torch.testing.assert_close(own, noised[:, 0] + 1, atol=0.01, rtol=0)


def test_the_loss_of_an_epoch_is_its_weighted_mean():
    rows, weights = np.zeros((50, 3)), np.repeat([0.0, 2.0], 25)
    sums = []

    class Spy(Categorical):
        def losses(self, outputs, targets):
            return (
                torch.arange(len(outputs)) * super().losses(outputs, targets).detach().sign()
                + 0 * outputs.sum()
            )

    for own in (None, weights):
        network, rng = new_mlp(3, 7, np.random.default_rng(0)), np.random.default_rng(1)
        settings = Training(epochs=1, batch_size=50)
        schedule = NoiseSchedule()
        epochs = train(network, rows, Spy(), schedule=schedule, training=settings, rng=rng, weights=own)
        sums.append(next(epochs))
    rng = np.random.default_rng(1)
    rng.integers(400, size=50), rng.standard_normal((50, 3), dtype=np.float32)
    chosen = weights[rng.permutation(50)]
    assert sums == pytest.approx([np.arange(50).mean(), (np.arange(50) * chosen).mean()])


@pytest.mark.parametrize("value", [0.3, 1.0, 1e300])
def test_equal_weights_are_ones_to_the_last_bit(value):
    assert (relative_weights(np.full(7, value), 7) == 1).all()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), r"sample_weight has shape \(3,\), expected \(4,\): one a row of X"),
        (np.ones((4, 1)), r"sample_weight has shape \(4, 1\), expected \(4,\)"),
        ([1, np.nan, 1, -1], r"sample_weight\[1\] is nan, expected a finite number >= 0"),
        ([1, 1, 1, -0.5], r"sample_weight\[3\] is -0.5, expected"),
        (["heavy"] * 4, "sample_weight is not an array of numbers"),
        (np.zeros(4), "sample_weight is zero for every row, expected at least one above 0"),
    ],
)
def test_impossible_weights_are_refused(weights, message):
    with pytest.raises(InputError, match=message):
        relative_weights(weights, 4)


@pytest.mark.parametrize(("rows", "rate"), [(1.0, 1e30), (1e39, 1e-4)])
def test_a_loss_that_is_not_finite_says_when_and_what_to_do(rows, rate):
    network, settings = new_mlp(3, 7, np.random.default_rng(0)), Training(epochs=9, learning_rate=rate)
    rng, X = np.random.default_rng(0), np.full((200, 3), rows)
    epochs = train(network, X, Categorical(), schedule=NoiseSchedule(), training=settings, rng=rng)
    with pytest.raises(
        InputError, match=r"training diverged at epoch [1-9]: loss is nan; lower learning_rate"
    ):
        list(islice(epochs, 9))


@pytest.mark.parametrize("before", [False, True])
def test_denormals_are_flushed_inside_and_as_before_outside(before):
    def tiny():
        return torch.tensor(1e-30).mul(1e-10).item()

    if not torch.set_flush_denormal(before):
        pytest.skip("this processor cannot flush denormals")
    try:
        with denormals_flushed():
            assert tiny() == 0
        assert (tiny() == 0) == before
    finally:
        torch.set_flush_denormal(False)
