"""The network that predicts the noise in a row, given the step of the noise."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from .seeding import torch_seeded

WIDTH, HIDDEN, EMBEDDING, N_BLOCKS = 128, 256, 256, 3
LONGEST_PERIOD = 10_000  # of the embedding, in steps over 2 pi


class ResidualNetwork(nn.Module):
    """A residual network with batch norm that is told the step t, d -> 128 -> d.

    A linear layer to 128, plus an embedding of t: sinusoidal, 256, through two linear layers with SiLU, then,
    after SiLU as in the published code, to 128; three residual blocks (batch norm, linear 256, ReLU, dropout,
    linear 128, dropout); a head (batch norm, ReLU, linear to d). Dropout acts only where a generator is
    given. Batch norm has the modes of torch: `train` where a batch normalises itself, `eval` elsewhere.
    """

    embedding: Tensor

    def __init__(self, n_features: int, n_steps: int, dropout: tuple[float, float]) -> None:
        super().__init__()
        self.register_buffer("embedding", sinusoids(n_steps), persistent=False)
        self.first = nn.Linear(n_features, WIDTH)
        self.time = nn.Sequential(
            nn.Linear(EMBEDDING, EMBEDDING),
            nn.SiLU(),
            nn.Linear(EMBEDDING, EMBEDDING),
            nn.SiLU(),
            nn.Linear(EMBEDDING, WIDTH),
        )
        self.blocks = nn.ModuleList([Block(dropout) for _ in range(N_BLOCKS)])
        self.head = nn.Sequential(nn.BatchNorm1d(WIDTH), nn.ReLU(), nn.Linear(WIDTH, n_features))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embedding.device

    def forward(self, x: Tensor, steps: Tensor, dropout: np.random.Generator | None = None) -> Tensor:
        """Return the noise (n, d) in rows (n, d), both float32, at steps (n,) or (1,), int64."""
        x = self.first(x) + self.time(self.embedding[steps])
        for block in self.blocks:
            x = block(x, dropout)
        noise: Tensor = self.head(x)
        return noise


class Block(nn.Module):
    """Batch norm, linear 256, ReLU, dropout, linear 128, dropout; added to the input."""

    def __init__(self, dropout: tuple[float, float]) -> None:
        super().__init__()
        self.norm, self.dropout = nn.BatchNorm1d(WIDTH), dropout
        self.widen, self.narrow = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)

    def forward(self, x: Tensor, dropout: np.random.Generator | None = None) -> Tensor:
        """Return the outputs (n, 128) of inputs (n, 128); with dropout if a generator is given."""
        first, second = self.dropout
        hidden = _dropped(self.widen(self.norm(x)).relu(), first, dropout)
        return x + _dropped(self.narrow(hidden), second, dropout)


def _dropped(x: Tensor, share: float, rng: np.random.Generator | None) -> Tensor:
    """Return `x` with a share of its values set to zero and the others scaled up; all of it without `rng`."""
    if rng is None or share == 0:
        return x
    # Two random bytes a value, for the share to a 65,536th: faster than torch's dropout.
    draws = np.frombuffer(rng.bytes(2 * x.numel()), "<u2").reshape(x.shape)
    kept = torch.from_numpy(draws >= round(65_536 * share))
    return x * kept.float().div_(1 - share).to(x.device)


def sinusoids(n_steps: int) -> Tensor:
    """Return the embedding of the steps 0..n_steps-1, (n_steps, 256) float32: 128 cosines, then 128 sines.

    Frequencies fall geometrically from 1 towards 1 / 10,000. Source: Ho et al. 2020, arXiv 2006.11239.
    """
    frequencies = torch.exp(torch.arange(0, -1, -2 / EMBEDDING) * math.log(LONGEST_PERIOD))
    angles = torch.outer(torch.arange(n_steps).float(), frequencies)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def new_residual_network(
    n_features: int, n_steps: int, dropout: tuple[float, float], rng: np.random.Generator
) -> ResidualNetwork:
    """Return a network in `eval` mode whose initial weights come from `rng` alone."""
    with torch_seeded(int(rng.integers(2**63))):
        return ResidualNetwork(n_features, n_steps, dropout).eval()
