"""The networks, and how their weights are drawn."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xadbench.datasets.common.errors import InputError, unknown

from .piecewise import outputs_of_changes
from .seeding import torch_seeded

HIDDEN = (256, 512, 256)
MANY_CHANGES = 256  # of a single row, from which on it pays to look for units that do not bend


class MLP(nn.Module):
    """The paper's network: d -> 256 -> 512 -> 256 -> n_outputs with ReLU, linear at the end.

    In training, dropout of 0.5 follows the second and third hidden activation, not the first; see
    `xadbench.dsil.networks.backprop`. The network itself has none, and no training mode: scoring can never be
    random.
    """

    def __init__(self, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        sizes = pairwise((n_inputs, *HIDDEN, n_outputs))
        self.layers = nn.ModuleList([nn.Linear(wide, narrow) for wide, narrow in sizes])

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs (n, n_outputs) of rows (n, n_inputs), both float32."""
        return self.after_first(self.layers[0](x))

    def after_first(self, x: Tensor) -> Tensor:
        """Return the outputs (n, n_outputs) of what the first layer gave (n, 256), which is overwritten."""
        _, *hidden, last = self.layers
        for layer in hidden:
            x = layer(x.relu_())
        outputs: Tensor = last(x.relu_())
        return outputs

    def after_changes(self, rows: Tensor, features: Tensor, changes: Tensor) -> Tensor:
        """Return the outputs of rows, and of each with one feature at a time changed.

        Parameters
        ----------
        rows : (r, n_inputs) float32
        features : (r, m) int64
        changes : (r, m, k) float32
            What is added to each feature in turn.

        Returns
        -------
        (r, 1 + m k, n_outputs) float32
            A row's own in the first place. Only one coordinate moves, so the first layer of a changed row is
            that of the row plus a multiple of one column of the weights. Where a single row has many changes,
            later layers are spared too, see `xadbench.dsil.networks.piecewise`.
        """
        if len(rows) == 1 and changes.numel() >= MANY_CHANGES:
            return outputs_of_changes(self.layers, rows[0], features[0], changes[0])[None]
        first: Any = self.layers[0]
        (r, m, k), width = changes.shape, first.out_features
        columns, own = first.weight.T[features][:, :, None], first(rows)
        activations = torch.empty(r, 1 + m * k, width, device=rows.device)
        activations[:, 0] = own
        moved = activations[:, 1:].view(r, m, k, width)
        torch.addcmul(own[:, None, None], columns, changes[..., None], out=moved)
        return self.after_first(activations.view(-1, width)).view(r, 1 + m * k, -1)


def find_device(name: str) -> torch.device:
    """Return the device called "cpu" or "cuda", or for "auto" the better one that is there.

    Raises
    ------
    InputError
        For another name, or for "cuda" where there is no such device.
    """
    if name not in {"auto", "cpu", "cuda"}:
        raise unknown("device", name, ["auto", "cpu", "cuda"])
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError('device is "cuda", but torch finds no GPU here; choose "cpu" or "auto"')
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def new_mlp(n_inputs: int, n_outputs: int, rng: np.random.Generator) -> MLP:
    """Return a network whose initial weights come from `rng` alone."""
    with torch_seeded(int(rng.integers(2**63))):
        return MLP(n_inputs, n_outputs)


def weights_of(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Return the weights (and buffers) of a network as arrays, for a detector's `_state`."""
    return {name: value.numpy(force=True) for name, value in network.state_dict().items()}


def load_weights(network: nn.Module, weights: dict[str, NDArray[Any]]) -> None:
    """Put weights from `weights_of` into a network of the same shape, for good: none needs a gradient."""
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    network.requires_grad_(requires_grad=False)
