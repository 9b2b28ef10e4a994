"""Training a network to tell how much noise a row carries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from xadbench.datasets.arrays import FloatArray, IntArray
from xadbench.datasets.checks import at_least
from xadbench.datasets.errors import InputError

from .diffusion import NoiseSchedule
from .networks import MLP


class Objective(Protocol):
    """What the network learns about the step of a row's noise."""

    def targets(self, steps: IntArray) -> Tensor:
        """Return what to predict for rows noised at `steps`."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of a batch."""


@dataclass(frozen=True)
class Training:
    """How long and how fast to train; the paper's settings. `InputError` where one is out of range."""

    epochs: int = 400
    batch_size: int = 128
    learning_rate: float = 1e-4
    weight_decay: float = 5e-4

    def __post_init__(self) -> None:
        at_least(1, epochs=self.epochs, batch_size=self.batch_size)
        if not (self.learning_rate > 0 and self.weight_decay >= 0):
            raise InputError(
                f"learning_rate is {self.learning_rate}, expected > 0; weight_decay {self.weight_decay}, >= 0"
            )


def train(
    network: MLP,
    rows: FloatArray,
    objective: Objective,
    *,
    schedule: NoiseSchedule,
    training: Training,
    rng: np.random.Generator,
) -> None:
    """Train `network` in place on `rows` (n, d), from its present weights, with a new Adam.

    Every epoch gives each row a step t, uniform in 0..n_steps-1, and fresh noise sigma_t * epsilon. All
    randomness, dropout included, comes from `rng`.
    """
    network.requires_grad_(requires_grad=True)
    optimiser = torch.optim.Adam(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    clean, sigma = rows.astype(np.float32), schedule.sigma.astype(np.float32)
    for _ in range(training.epochs):
        for noised, targets in _epoch(clean, sigma, objective, training.batch_size, rng):
            optimiser.zero_grad()
            torch.autograd.backward(objective.loss(network(noised, dropout=rng), targets))
            optimiser.step()
    network.requires_grad_(requires_grad=False)  # scores are differentiated by their input alone


def _epoch(
    rows: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    sigma: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    objective: Objective,
    batch_size: int,
    rng: np.random.Generator,
) -> Iterator[tuple[Tensor, Tensor]]:
    steps = rng.integers(len(sigma), size=len(rows))
    noised = rng.standard_normal(rows.shape, dtype=np.float32)
    noised *= sigma[steps, np.newaxis]
    noised += rows[rng.permutation(len(rows))]
    batches = torch.split(torch.from_numpy(noised), batch_size)
    return zip(batches, torch.split(objective.targets(steps), batch_size), strict=True)
