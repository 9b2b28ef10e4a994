import numpy as np
import torch

from xadbench.dsil.networks.mlp import HIDDEN, new_mlp
from xadbench.dsil.networks.seeding import torch_seeded


def mlp(seed=0, n_inputs=4, n_outputs=7):
    return new_mlp(n_inputs, n_outputs, np.random.default_rng(seed))


def test_layers_are_the_papers():
    shapes = [tuple(layer.weight.shape) for layer in mlp().layers]
    assert HIDDEN == (256, 512, 256)
    assert shapes == [(256, 4), (512, 256), (256, 512), (7, 256)]


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
