import numpy as np
import pytest
import torch

from xadbench.datasets import InputError
from xadbench.dsil.categorical import Categorical
from xadbench.dsil.diffusion import NoiseSchedule
from xadbench.dsil.networks import new_mlp
from xadbench.dsil.training import Training, _epoch, train


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
    batches = list(_epoch(rows, sigma, Categorical(), 32, np.random.default_rng(0)))
    assert [len(noised) for noised, _ in batches] == [32, 32, 6]
    noised, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
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
        (noised, targets), *_ = _epoch(
            np.zeros((2000, 3), np.float32), NoiseSchedule().sigma.astype(np.float32), objective, 2000, rng
        )
        return objective.loss(network(noised), targets).item()

    losses = [loss()]
    for seed in range(2):
        rng = np.random.default_rng(seed)
        settings = Training(epochs=30, learning_rate=1e-3)
        train(network, rows, objective, schedule=NoiseSchedule(), training=settings, rng=rng)
        losses.append(loss())
    assert losses[0] > losses[1] + 0.1 > losses[2]
    assert not any(weights.requires_grad for weights in network.parameters())
