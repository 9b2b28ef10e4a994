"""Detection by reconstruction: a row is as anomalous as a diffusion model changes it when denoising it."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import islice
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted
from torch import Tensor
from torch.nn.functional import mse_loss
from torch.utils.checkpoint import checkpoint

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.checks import at_least, check_columns
from xadbench.datasets.errors import InputError
from xadbench.datasets.streams import stream

from .diffusion import NoiseSchedule
from .estimator import Detector
from .residual import ResidualNetwork, new_residual_network
from .training import Training

ROWS_AT_ONCE = 1024  # bounds the memory of a scoring pass, and keeps it in the processor's cache
PATIENCE, FIRST_STOP = 39, 52  # epochs; of the published code


class DDPM(Detector):
    r"""Detector that denoises a row with a diffusion model and scores what changed ("DDPM").

    A network learns to predict the noise :math:`\epsilon` in
    :math:`x_t = \sqrt{\bar\alpha_t} x_0 + \sigma_t \epsilon`. A row is scored by running the reverse chain
    from the row itself, taken for :math:`x_t` at t = `reverse_steps` - 1 without being noised first,

    .. math:: x_{t-1} = \frac{1}{\sqrt{1 - \beta_t}}
              \left(x_t - \frac{\beta_t}{\sigma_t} \hat\epsilon(x_t, t)\right),

    down to t = 0. This is the mean of the reverse step of Ho et al.; no noise is added to it, as in the
    published code, so a score is not random. The score is the mean squared difference between the row and
    the end of the chain. Rows are taken as they are: standardise them per feature first. The same
    `random_state` gives the same fit on one machine, whatever the global random state, which stays untouched.

    Parameters
    ----------
    epochs, batch_size, learning_rate, weight_decay
        Settings of the training with Adam; a batch has at least 2 rows. The DTE authors: batches of 64.
    n_steps
        Number T of diffusion steps; the DTE authors: 1,000.
    reverse_steps
        Number of steps of the reverse chain, at most `n_steps`.
    dropout
        Shares in [0, 1) dropped after the first and the second layer of a block; the DTE authors: 0.4, 0.1.
    early_stopping
        Whether to stop after an epoch, the 52nd or later, whose loss exceeds that of 39 epochs before, as the
        DTE authors do.
    contamination
        Share of the training rows above `threshold_`, in (0, 0.5].
    random_state
        Seed, at least 0.

    Attributes
    ----------
    network_
        The trained network.
    n_rounds_
        How often it was trained: 1 after `fit`, one more after every `partial_fit`.
    history_ : DataFrame
        The mean loss of every epoch: columns round, epoch (both from 0), loss.
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`. Scores are at least 0.

    Notes
    -----
    Source: Livernoche et al. 2024, arXiv 2305.18593; Ho et al. 2020, arXiv 2006.11239; settings of Vincent et
    al. 2025 ("DSIL").
    """

    version: ClassVar[int] = 1
    network_: ResidualNetwork
    n_rounds_: int
    history_: pd.DataFrame

    def __init__(
        self,
        *,
        epochs: int = 400,
        batch_size: int = 128,
        learning_rate: float = 1e-4,
        weight_decay: float = 5e-4,
        n_steps: int = 400,
        reverse_steps: int = 250,
        dropout: tuple[float, float] = (0.4, 0.3),
        early_stopping: bool = False,
        contamination: float = 0.1,
        random_state: int = 0,
    ) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.n_steps = n_steps
        self.reverse_steps = reverse_steps
        self.dropout = dropout
        self.early_stopping = early_stopping
        self.contamination = contamination
        self.random_state = random_state

    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002  # scikit-learn's signature
        """Train `epochs` more epochs on rows (n, d): the weights carry on, the optimiser is new.

        The first call is a `fit`. Where it raises, the detector stays as it was.
        """
        if not hasattr(self, "network_"):
            return self.fit(X)
        rows = self._fitted_rows(X, min_rows=2)
        self._train(deepcopy(self.network_), rows, self.n_rounds_)
        return self._judge(rows)

    def reconstruction_error(self, X: ArrayLike) -> FloatArray:
        """Return the squared change of each feature by the reverse chain, (n, d), of rows (n, d).

        At least 0; a row's mean is its score. It serves as an explanation: higher = more to blame.
        Raises what `decision_function` does.
        """
        return self._errors(self._fitted_rows(X))

    def score_tensor(self, x: Tensor) -> Tensor:
        """Return the scores (n,), float64, of rows (n, d), float32 or float64; differentiable by `x`.

        A gradient runs back through the whole chain and costs three times the score; its memory is that of
        one step and `reverse_steps` copies of `x`.
        """
        return self._error_tensor(x).mean(dim=1)

    def _learn(self, rows: FloatArray) -> None:
        self._check_settings()
        rng = self._stream("weights")
        self._train(new_residual_network(rows.shape[1], self.n_steps, self.dropout, rng), rows, 0)

    def _scores(self, rows: FloatArray) -> FloatArray:
        scores: FloatArray = self._errors(rows).mean(axis=1)
        return scores

    def _errors(self, rows: FloatArray) -> FloatArray:
        parts = torch.split(torch.tensor(rows), ROWS_AT_ONCE)
        with torch.no_grad():
            return np.concatenate([self._error_tensor(part).numpy() for part in parts])

    def _error_tensor(self, x: Tensor) -> Tensor:
        check_is_fitted(self)
        if x.ndim != 2:
            raise InputError(f"x has shape {tuple(x.shape)}, expected (n, d)")
        check_columns(x.shape[1], self.n_features_in_)
        denoised = denoise(self.network_, x.float(), NoiseSchedule(self.n_steps), self.reverse_steps)
        return (x.double() - denoised.double()).square()

    def _train(self, network: ResidualNetwork, rows: FloatArray, n_rounds: int) -> None:
        """Train `network` in place, and make it the detector's once that is done."""
        training = Training(self.epochs, self.batch_size, self.learning_rate, self.weight_decay)
        rng = self._stream(f"round {n_rounds}")
        losses: list[float] = []
        for loss in islice(train(network, rows, NoiseSchedule(self.n_steps), training, rng), self.epochs):
            losses.append(loss)
            if self.early_stopping and len(losses) >= FIRST_STOP and loss > losses[-1 - PATIENCE]:
                break
        history = pd.DataFrame({"round": n_rounds, "epoch": range(len(losses)), "loss": losses})
        self.history_ = pd.concat([self.history_, history], ignore_index=True) if n_rounds else history
        self.network_, self.n_rounds_ = network.eval().requires_grad_(requires_grad=False), n_rounds + 1

    def _check_settings(self) -> None:
        at_least(0, random_state=self.random_state)
        at_least(1, n_steps=self.n_steps, reverse_steps=self.reverse_steps)
        at_least(2, batch_size=self.batch_size)  # one row has no variance, which batch norm divides by
        if self.reverse_steps > self.n_steps:
            raise InputError(
                f"reverse_steps is {self.reverse_steps}, expected at most the {self.n_steps} n_steps"
            )
        if len(self.dropout) != 2 or not all(0 <= share < 1 for share in self.dropout):
            raise InputError(f"dropout is {self.dropout!r}, expected two shares in [0, 1)")

    def _stream(self, purpose: str) -> np.random.Generator:
        return stream(self.random_state, "ddpm", purpose)


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
    while True:
        order = torch.from_numpy(rng.permutation(len(rows)))
        steps = torch.from_numpy(rng.integers(schedule.n_steps, size=len(rows)))
        noise = torch.from_numpy(rng.standard_normal(rows.shape, dtype=np.float32))
        noised = signal[steps] * clean[order] + sigma[steps] * noise
        losses = []
        for start in range(0, len(rows) - 1, training.batch_size):
            batch = slice(start, start + training.batch_size)
            optimiser.zero_grad()
            loss = mse_loss(network(noised[batch], steps[batch], dropout=rng), noise[batch])
            torch.autograd.backward(loss)
            optimiser.step()
            losses.append(loss.item())
        if not np.isfinite(losses).all():
            raise InputError("the training loss is not finite: standardise the rows, or lower learning_rate")
        yield float(np.mean(losses))


def denoise(network: ResidualNetwork, x: Tensor, schedule: NoiseSchedule, n_steps: int) -> Tensor:
    """Return where the reverse chain of `n_steps` steps leads from `x` (n, d), float32; differentiable."""
    betas = np.linspace(schedule.beta_start, schedule.beta_end, schedule.n_steps)

    def step(x: Tensor, t: int) -> Tensor:
        noise: Tensor = network(x, torch.tensor([t]))
        return (x - noise * float(betas[t] / schedule.sigma[t])) / float(np.sqrt(1 - betas[t]))

    for t in reversed(range(n_steps)):
        # Checkpoints: the way back computes each step anew rather than keep the activations of all of them.
        x = checkpoint(step, x, t, use_reentrant=False, preserve_rng_state=False)
    return x
