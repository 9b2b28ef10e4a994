import numpy as np
import pytest
import torch

from xadbench.dsil.diffusion.categorical import Categorical
from xadbench.dsil.diffusion.inverse_gamma import InverseGamma
from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule
from xadbench.dsil.networks.backprop import Backprop, coins
from xadbench.dsil.networks.mlp import new_mlp

OBJECTIVES = {
    "published": Categorical(),
    "cross_entropy": Categorical(loss_name="cross_entropy"),
    "inverse_gamma": InverseGamma(4, NoiseSchedule()),
}


def by_autograd(network, masks, x):
    """The outputs of the network with the paper's dropout: after the second and third activation alone."""
    first, second, third, last = network.layers
    hidden = second(first(x).relu()).relu() * masks[0]
    return last(third(hidden).relu() * masks[1])


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES.keys())
def test_steps_are_those_of_autograd_and_adam(objective):
    rng = np.random.default_rng(0)
    network, reference = (new_mlp(4, objective.n_outputs, np.random.default_rng(1)) for _ in range(2))
    backprop = Backprop(network, 32, learning_rate=1e-3, weight_decay=0.1)
    adam = torch.optim.Adam(reference.parameters(), lr=1e-3, weight_decay=0.1, fused=True)
    for seed, n_rows in enumerate((32, 32, 7)):
        x, targets = (
            torch.from_numpy(rng.random((n_rows, 4), np.float32)),
            objective.targets(rng.integers(400, size=n_rows)),
        )
        weights = torch.from_numpy(rng.random(n_rows, np.float32))
        losses = backprop.step(x, targets, weights, objective, np.random.default_rng(seed))
        masks = coins(n_rows, [512, 256], np.random.default_rng(seed))
        expected = objective.losses(by_autograd(reference, masks, x), targets) * weights
        adam.zero_grad()
        expected.mean().backward()
        adam.step()
        torch.testing.assert_close(losses, expected.detach())
    assert torch.equal(network.layers[0].weight, new_mlp(4, 7, np.random.default_rng(1)).layers[0].weight)
    backprop.store()
    for own, theirs in zip(network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(own, theirs)


def test_coins_are_fair_and_independent():
    first, second = (own.float() for own in coins(1000, [512, 256], np.random.default_rng(0)))
    assert (first.shape, second.shape) == ((1000, 512), (1000, 256))
    assert set(first.unique().tolist()) == {0, 2}
    assert abs(first.mean() - 1) < 0.01
    assert abs(torch.corrcoef(torch.cat([first, second], dim=1).T) - torch.eye(768)).max() < 0.2
