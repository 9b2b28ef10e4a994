"""Training a network to tell how much noise a row carries."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from math import isfinite

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.values import numbers
from xadbench.dsil.networks.backprop import Backprop
from xadbench.dsil.networks.mlp import MLP
from xadbench.dsil.networks.objective import Objective

from .noise_schedule import NoiseSchedule

Batch = tuple[Tensor, Tensor, Tensor]  # noised rows (n, d), targets (n,), weights (n,)


@dataclass(frozen=True)
class Training:
    """How long and how fast to train; the paper's settings. `InputError` where one is out of range."""

    epochs: int = 400
    batch_size: int = 128
    learning_rate: float = 1e-4
    weight_decay: float = 5e-4

    def __post_init__(self) -> None:
        at_least(1, epochs=self.epochs, batch_size=self.batch_size)
        numbers = all(isinstance(own, int | float) for own in (self.learning_rate, self.weight_decay))
        if not (numbers and self.learning_rate > 0 and self.weight_decay >= 0):
            raise InputError(
                f"learning_rate is {self.learning_rate}, expected > 0; weight_decay {self.weight_decay}, >= 0"
            )

    def checked(self, epoch: int, loss: float) -> float:
        """Return the mean loss of an epoch; `InputError` if it is not finite."""
        if not isfinite(loss):
            raise InputError(
                f"training diverged at epoch {epoch}: loss is {loss}; "
                f"lower learning_rate, which is {self.learning_rate}, or standardise the columns of X"
            )
        return loss


def relative_weights(sample_weight: ArrayLike, n_rows: int) -> FloatArray:
    """Return the weights of rows (n,) divided by their mean; `InputError` unless finite, >= 0, not all 0."""
    weights = np.asarray(numbers(sample_weight, "sample_weight"), dtype=np.float64)
    if weights.shape != (n_rows,):
        raise InputError(f"sample_weight has shape {weights.shape}, expected ({n_rows},): one a row of X")
    if len(bad := np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))):
        raise InputError(f"sample_weight[{bad[0]}] is {weights[bad[0]]}, expected a finite number >= 0")
    if not weights.any():
        raise InputError("sample_weight is zero for every row, expected at least one above 0")
    weights = weights / weights.max()  # so that equal weights become ones, to the last bit
    relative: FloatArray = weights / weights.mean()
    return relative


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Take float32 below 1e-38 for 0 inside, and float64 below 1e-308; as before afterwards.

    Weight decay takes the weights that nothing needs, and Adam's averages of them, into that range, where a
    processor computes up to a hundred times as slowly: a long training took four times as long.
    """
    before = not torch.tensor(1e-310, dtype=torch.float64).mul(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def train(
    network: MLP,
    rows: FloatArray,
    objective: Objective,
    *,
    schedule: NoiseSchedule,
    training: Training,
    rng: np.random.Generator,
    weights: FloatArray | None = None,
) -> Iterator[float]:
    """Train `network` in place on `rows` (n, d) with a new Adam; yield the mean loss of each epoch, for ever.

    Every epoch gives each row a step t, uniform in 0..n_steps-1, and fresh noise sigma_t * epsilon. All
    randomness, dropout included, comes from `rng`. The loss of a row is multiplied by its weight (n,), of
    mean 1.

    Raises
    ------
    InputError
        If the loss of an epoch is not finite.
    """
    batch_size = min(training.batch_size, len(rows))
    backprop = Backprop(network, batch_size, training.learning_rate, training.weight_decay)
    # torch casts too large a value to infinity without a warning; the loss tells.
    clean, sigma = torch.tensor(rows, dtype=torch.float32).numpy(), schedule.sigma.astype(np.float32)
    relative = np.ones(len(rows), np.float32) if weights is None else weights.astype(np.float32)
    for epoch in count(1):
        batches = _epoch(clean, relative, sigma, objective, batch_size, rng=rng)
        parts = [backprop.step(*_on(network.device, batch), objective, rng) for batch in batches]
        backprop.store()
        yield training.checked(epoch, sum(part.mean().item() * len(part) for part in parts) / len(rows))


def _on(device: torch.device, batch: Batch) -> Batch:
    noised, targets, weights = (part.to(device) for part in batch)
    return noised, targets, weights


def _epoch(
    rows: NDArray[np.float32],
    weights: NDArray[np.float32],
    sigma: NDArray[np.float32],
    objective: Objective,
    batch_size: int,
    *,
    rng: np.random.Generator,
) -> Iterator[Batch]:
    steps = rng.integers(len(sigma), size=len(rows))
    noised = rng.standard_normal(rows.shape, dtype=np.float32)
    noised *= sigma[steps, np.newaxis]
    order = rng.permutation(len(rows))
    noised += rows[order]
    parts = torch.from_numpy(noised), objective.targets(steps), torch.from_numpy(weights[order])
    return zip(*(torch.split(part, batch_size) for part in parts), strict=True)
