"""What a network of diffusion time estimation can learn to tell."""

from typing import Protocol

from torch import Tensor

from xadbench.datasets.common.arrays import IntArray


class Objective(Protocol):
    """What the network learns about the step of a row's noise, and how a row's score follows from it."""

    @property
    def n_outputs(self) -> int:
        """Number of outputs that the network needs."""

    def targets(self, steps: IntArray) -> Tensor:
        """Return what to predict for rows noised at `steps`, (n,)."""

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each row of a batch, (n,)."""

    def score(self, outputs: Tensor) -> Tensor:
        """Return the score of each row, (n,) float64; higher = noisier."""
