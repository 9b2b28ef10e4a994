import numpy as np
import torch

from xadbench.dsil.networks import HIDDEN, _coins, new_mlp, torch_seeded


def mlp(seed=0, n_inputs=4, n_outputs=7):
    return new_mlp(n_inputs, n_outputs, np.random.default_rng(seed))


def test_layers_are_the_papers():
    shapes = [tuple(layer.weight.shape) for layer in mlp().layers]
    assert HIDDEN == (256, 512, 256)
    assert shapes == [(256, 4), (512, 256), (256, 512), (7, 256)]


def test_dropout_follows_the_second_and_third_activation_alone():
    network, seen = mlp(), []
    for layer in network.layers:
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    x = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    network(x, dropout=np.random.default_rng(0))
    plain = torch.relu(network.layers[0](x))
    assert torch.equal(seen[1], plain)
    for depth in (2, 3):
        activation = torch.relu(network.layers[depth - 1](seen[depth - 1]))
        kept = seen[depth] != 0
        assert torch.equal(seen[depth][kept], 2 * activation[kept])
        assert 0.45 < kept.sum() / (activation != 0).sum() < 0.55


def test_without_a_generator_the_network_is_a_function_even_in_training_mode():
    network, x = mlp().train(), torch.ones(3, 4)
    assert torch.equal(network(x), network(x))


def test_coins_are_fair_and_independent():
    coins = _coins(torch.Size([1000, 512]), np.random.default_rng(0))
    assert set(coins.unique().tolist()) == {0.0, 2.0}
    assert abs(coins.mean() - 1) < 0.01
    assert abs(torch.corrcoef(coins.T) - torch.eye(512)).max() < 0.2


def test_the_weights_come_from_the_generator_alone():
    weights = [mlp(seed).layers[0].weight for seed in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_seeded_block_leaves_the_global_state_as_it_was():
    before = torch.get_rng_state()
    with torch_seeded(1):
        first = torch.rand(1)
    with torch_seeded(1):
        assert torch.rand(1) == first
    assert torch.equal(torch.get_rng_state(), before)
