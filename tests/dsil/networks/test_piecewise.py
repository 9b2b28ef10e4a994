import pytest
import torch
from torch import nn

from xadbench.dsil.networks.piecewise import outputs_of_changes
from xadbench.dsil.networks.seeding import torch_seeded

D, M, K = 7, 4, 6


def network(shift):
    """Layers whose units all bend (shift 0), or are mostly off (below) or on (above) among the rows."""
    with torch_seeded(0):
        layers = [nn.Linear(*sizes) for sizes in [(D, 16), (16, 24), (24, 16), (16, 3)]]
    for layer in layers:
        layer.weight.data *= 3
        layer.bias.data += shift
    return layers


def one_after_the_other(layers, rows):
    for layer in layers[:-1]:
        rows = layer(rows).relu()
    return layers[-1](rows)


@pytest.fixture
def changed():
    rng = torch.Generator().manual_seed(1)
    row, changes = torch.randn(D, generator=rng), torch.randn(M, K, generator=rng)
    features = torch.tensor([6, 0, 3, 2])
    rows = row.repeat(1 + M * K, 1)
    for i in range(M):
        rows[1 + i * K : 1 + (i + 1) * K, features[i]] += changes[i]
    return (row, features, changes), rows


@pytest.mark.parametrize("shift", [-20.0, -1.0, 0.0, 1.0, 20.0])
@torch.no_grad()
def test_outputs_are_those_of_the_changed_rows(changed, shift):
    layers, (given, rows) = network(shift), changed
    outputs = outputs_of_changes(layers, *given)
    expected = one_after_the_other(layers, rows)
    assert outputs.shape == (1 + M * K, 3)
    torch.testing.assert_close(outputs, expected, atol=1e-4, rtol=1e-5)
    assert shift == -20 or expected.std(dim=0).min() > 1e-2  # where all units are off, nothing moves


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@torch.no_grad()
def test_what_is_not_finite_stays_so(changed, value):
    (row, features, changes), _ = changed
    changes[1, 2] = value
    outputs = outputs_of_changes(network(0.0), row, features, changes)
    assert not outputs[1 + K + 2].isfinite().any()
    row[0] = value
    assert not outputs_of_changes(network(0.0), row, features, changes).isfinite().any()


@torch.no_grad()
def test_a_change_of_nothing_gives_the_row_its_own_outputs(changed):
    (row, features, changes), _ = changed
    outputs = outputs_of_changes(network(0.0), row, features, torch.zeros_like(changes))
    assert torch.equal(outputs, outputs[:1].expand_as(outputs))
