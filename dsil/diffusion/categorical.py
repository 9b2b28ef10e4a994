"""Diffusion time as a class: the network names the bin of steps that a row's noise comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from xadbench.datasets.common.arrays import IntArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import InputError, find


def published_loss(outputs: Tensor, bins: Tensor) -> Tensor:
    """Return the losses of the published code: cross-entropy of the softmax, taken for logits once more."""
    return cross_entropy(outputs.softmax(dim=1), bins, reduction="none")


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "published": published_loss,
    "cross_entropy": partial(cross_entropy, reduction="none"),
}


@dataclass(frozen=True)
class Categorical:
    """Classify the bin floor(n_bins * t / n_steps) of a row's step; score by the bin that is expected.

    Source: Livernoche et al. 2024, arXiv 2305.18593, there "DTE-C".

    Raises
    ------
    InputError
        If `n_bins` is not within 2..n_steps, or `loss` is not one of `LOSSES`.
    """

    n_steps: int = 400
    n_bins: int = 7
    loss_name: str = "published"

    def __post_init__(self) -> None:
        at_least(2, n_bins=self.n_bins, n_steps=self.n_steps)
        if self.n_bins > self.n_steps:
            raise InputError(f"n_bins is {self.n_bins}, expected at most n_steps = {self.n_steps}")
        find("loss", self.loss_name, LOSSES)

    @property
    def n_outputs(self) -> int:
        """Number of outputs that the network needs: one a bin."""
        return self.n_bins

    def targets(self, steps: IntArray) -> Tensor:
        """Return the bins (n,) of steps (n,) in 0..n_steps-1, as int64 in 0..n_bins-1."""
        return torch.from_numpy(self.n_bins * steps // self.n_steps)

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each row: outputs (n, n_bins), targets (n,)."""
        return LOSSES[self.loss_name](outputs, targets)

    def score(self, outputs: Tensor) -> Tensor:
        """Return the expected bin sum_b b * p_b, (n,) float64 in [0, n_bins-1]; higher = noisier."""
        # In double precision, or the most anomalous rows would tie where their p rounds to 1.
        p = outputs.double().softmax(dim=1)
        return (p * torch.arange(self.n_bins, device=p.device)).sum(dim=1)
