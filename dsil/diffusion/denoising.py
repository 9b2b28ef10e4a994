"""Training a network to predict the noise in a row, and running the diffusion backwards with it."""

from collections.abc import Iterator
from itertools import count

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.utils.checkpoint import checkpoint

from xadbench.datasets.common.arrays import FloatArray
from xadbench.dsil.networks.residual import ResidualNetwork

from .noise_schedule import NoiseSchedule
from .training import Training


def train(
    network: ResidualNetwork,
    rows: FloatArray,
    schedule: NoiseSchedule,
    training: Training,
    rng: np.random.Generator,
) -> Iterator[float]:
    """Train `network` in place on `rows` (n, d) with a new Adam; yield the mean loss of each epoch, for ever.

    Every epoch gives each row a step t, uniform in 0..n_steps-1, and fresh noise. All randomness, dropout
    included, comes from `rng`. A row that would make up a last batch alone sits the epoch out. The network is
    left in `train` mode.

    Raises
    ------
    InputError
        If a loss is not finite.
    """
    network.train().requires_grad_(requires_grad=True)
    optimiser = torch.optim.Adam(
        network.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True
    )
    clean, sigma = torch.tensor(rows).float(), torch.tensor(schedule.sigma).float()[:, np.newaxis]
    signal = (1 - sigma.square()).sqrt()
    for epoch in count(1):
        order = torch.from_numpy(rng.permutation(len(rows)))
        steps = torch.from_numpy(rng.integers(schedule.n_steps, size=len(rows)))
        noise = torch.from_numpy(rng.standard_normal(rows.shape, dtype=np.float32))
        noised = signal[steps] * clean[order] + sigma[steps] * noise
        parts = (torch.split(part, training.batch_size) for part in (noised, steps, noise))
        batches = [batch for batch in zip(*parts, strict=True) if len(batch[0]) > 1]
        losses = [_step(network, optimiser, batch, rng) for batch in batches]
        loss = float(np.average(losses, weights=[len(batch[0]) for batch in batches]))
        yield training.checked(epoch, loss)


def _step(
    network: ResidualNetwork,
    optimiser: torch.optim.Optimizer,
    batch: tuple[Tensor, ...],
    rng: np.random.Generator,
) -> float:
    """Take one step, and return the mean loss of the batch."""
    noised, steps, noise = (part.to(network.device) for part in batch)
    loss = mse_loss(network(noised, steps, dropout=rng), noise)
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()
    return loss.item()


def denoise(network: ResidualNetwork, x: Tensor, schedule: NoiseSchedule, n_steps: int) -> Tensor:
    """Return where the reverse chain of `n_steps` steps leads from `x` (n, d), float32; differentiable."""
    betas = np.linspace(schedule.beta_start, schedule.beta_end, schedule.n_steps)

    def step(x: Tensor, t: int) -> Tensor:
        noise: Tensor = network(x, torch.tensor([t], device=x.device))
        return (x - noise * float(betas[t] / schedule.sigma[t])) / float(np.sqrt(1 - betas[t]))

    for t in reversed(range(n_steps)):
        # Checkpoints: the way back computes each step again rather than keep the activations of all of them.
        x = checkpoint(step, x, t, use_reentrant=False, preserve_rng_state=False)
    return x
