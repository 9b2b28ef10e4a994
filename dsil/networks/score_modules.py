"""Scores as chains of torch modules, for explainers that hook into every activation."""

from copy import deepcopy
from typing import Any

import torch
from torch import nn

from .mlp import MLP
from .seeding import torch_seeded


def expected_bin_module(network: MLP) -> nn.Sequential:
    """Return a network and the expected bin of its outputs as one chain: rows (n, d) to scores (n,), float64.

    Every activation is a module of its own, used once and not in place, as rules that hand a score back from
    layer to layer need (DeepLIFT, DeepSHAP). The weights are a copy on the CPU in double precision: scores
    agree with those in single precision to its rounding.

    The outputs before the softmax are centred, which the softmax does not see. Then the contributions to them
    sum to 0, so rules that take out the mean of their multipliers, as Captum's does, and rules that do not
    agree, and the attributions add up to the score.
    """
    layers: list[Any] = list(deepcopy(network.layers))  # torch says no more than that they are modules
    *hidden, last = layers
    last.weight.data -= last.weight.data.mean(dim=0)
    last.bias.data -= last.bias.data.mean()
    with torch_seeded(0):  # a new layer draws weights, which are then set
        expectation = nn.Linear(last.out_features, 1, bias=False)
    expectation.weight.data = torch.arange(last.out_features).float()[None]
    activated = [module for layer in hidden for module in (layer, nn.ReLU())]
    chain = nn.Sequential(*activated, last, nn.Softmax(dim=1), expectation, nn.Flatten(0))
    return chain.to("cpu", torch.float64).requires_grad_(requires_grad=False)
