"""Outputs of a ReLU network for many rows that differ from one row in a single feature each.

A ReLU network is linear piece by piece. Among such rows most units stay on one side of their bend: below it
they give nothing, above it they pass on what they get. Only the units that do bend must be evaluated row by
row; what comes through the others is linear in the change of the feature, and carried along as such.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass
class _Piece:
    """What a layer is given, or gives, for n = 1 + m k rows, in the form base + change slope_j + bent gains.

    `base` (w,) belongs to the row itself, `slopes` (m, w) to its changed features; `bent` (n, q) holds what
    the units that bend among the rows give, those of all earlier layers, and `gains` (q, w) what each adds.
    """

    base: Tensor
    slopes: Tensor
    bent: Tensor
    gains: Tensor

    def values(self, changes: Tensor) -> Tensor:
        """Return the values (n, w) under changes (m, k) of the features, those of the row itself first."""
        (m, k), width = changes.shape, len(self.base)
        values = self.base.new_empty(1 + m * k, width)
        values[0] = self.base
        moved = values[1:].view(m, k, width)
        torch.addcmul(self.base, self.slopes[:, None], changes[:, :, None], out=moved)
        return values.addmm_(self.bent, self.gains)

    def through(self, layer: nn.Linear, changes: Tensor) -> "_Piece":
        """Return what the layer gives for the ReLU of these values."""
        values = self.values(changes)
        on, off = values.amin(0) >= 0, values.amax(0) <= 0
        linear, bending = on.nonzero()[:, 0], (~(on | off)).nonzero()[:, 0]  # NaN is neither on nor off
        passed = layer.weight.index_select(1, linear).T
        return _Piece(
            torch.addmv(layer.bias, passed.T, self.base[linear]),
            self.slopes.index_select(1, linear) @ passed,
            torch.cat([self.bent, values.index_select(1, bending).relu_()], dim=1),
            torch.cat([self.gains.index_select(1, linear) @ passed, layer.weight.index_select(1, bending).T]),
        )


def outputs_of_changes(layers: Iterable[Any], row: Tensor, features: Tensor, changes: Tensor) -> Tensor:
    """Return the outputs of a ReLU network for a row, and for it with one feature at a time changed.

    Parameters
    ----------
    layers : of nn.Linear
        The network: a ReLU stands between two of them.
    row : (d,) float32
    features : (m,) int64
    changes : (m, k) float32
        What is added to each feature in turn.

    Returns
    -------
    (1 + m k, n_outputs) float32
        The row's own in the first place. Equal, up to rounding, to what the layers give one after the other.
    """
    first, *hidden, last = layers
    none = row.new_empty(1 + changes.numel(), 0)
    piece = _Piece(first(row), first.weight.T[features], none, row.new_empty(0, first.out_features))
    for layer in hidden:
        piece = piece.through(layer, changes)
    outputs: Tensor = last(piece.values(changes).relu_())
    return outputs
