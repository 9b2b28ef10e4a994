"""Detection by reconstruction: a row is as anomalous as a diffusion model changes it when denoising it."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.dsil.diffusion.denoising import denoise, train
from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule
from xadbench.dsil.networks.residual import ResidualNetwork, new_residual_network

from .network_base import NetworkDetector

ROWS_AT_ONCE = 1024  # bounds the memory of a scoring pass, and keeps it in the processor's cache
PATIENCE, FIRST_STOP = 39, 52  # epochs; of the published code


class DDPM(NetworkDetector):
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
    device
        Where to train and to score: "cpu", "cuda", or "auto", which prefers a GPU. Only "cpu" is tested.
    verbose
        Whether to show the epochs and their loss: a bar on a terminal, plain lines elsewhere. None: on a
        terminal alone, and once the fit has taken 2 seconds.
    random_state
        Seed, at least 0.

    Attributes
    ----------
    network_
        The trained network.
    n_rounds_
        How often it was trained: 1 after `fit`, one more after every `partial_fit`.
    history_ : DataFrame
        The mean loss of every epoch: columns round, epoch (both from 1), loss.
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`. Scores are at least 0.

    Notes
    -----
    Source: Livernoche et al. 2024, arXiv 2305.18593; Ho et al. 2020, arXiv 2006.11239; settings of Vincent et
    al. 2025 ("DSIL").
    """

    version: ClassVar[int] = 1
    stream_name: ClassVar[str] = "ddpm"
    network_: ResidualNetwork

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
        device: str = "auto",
        verbose: bool | None = None,
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
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002  # scikit-learn's signature
        """Train `epochs` more epochs on rows (n, d): the weights carry on, the optimiser is new.

        The first call is a `fit`, whose errors it shares; it does not warn.
        """
        return self._partial_fit(X)

    @one_thread()
    def reconstruction_error(self, X: ArrayLike) -> FloatArray:
        """Return the squared change of each feature by the reverse chain, (n, d), of rows (n, d).

        At least 0; a row's mean is its score. It serves as an explanation: higher = more responsible.
        Raises what `decision_function` does.
        """
        return self._errors(self._fitted_rows(X))

    @one_thread()
    def score_tensor(self, x: Tensor) -> Tensor:
        """Return the scores (n,), float64, of rows (n, d), float32 or float64; differentiable by `x`.

        A gradient runs back through the whole chain and costs some four times the score; its memory is that
        of one step and `reverse_steps` copies of `x`.
        """
        return self._error_tensor(x).mean(dim=1)

    def _learn(self, rows: FloatArray, sample_weight: ArrayLike | None = None) -> None:
        self._check_settings()
        super()._learn(rows, sample_weight)

    def _scores(self, rows: FloatArray) -> FloatArray:
        scores: FloatArray = self._errors(rows).mean(axis=1)
        return scores

    def _errors(self, rows: FloatArray) -> FloatArray:
        parts = torch.split(torch.tensor(rows), ROWS_AT_ONCE)
        with torch.no_grad():
            errors = np.concatenate([self._error_tensor(part).numpy() for part in parts])
        if len(bad := np.argwhere(~np.isfinite(errors))):
            raise InputError(f"the score of row {bad[0, 0]} is not finite: its values are too large")
        return errors

    def _error_tensor(self, x: Tensor) -> Tensor:
        rows = self._fitted_tensor(x).to(self.network_.device, torch.float32)
        denoised = denoise(self.network_, rows, NoiseSchedule(self.n_steps), self.reverse_steps)
        return (x.double() - denoised.to(x.device).double()).square()

    def _epochs(
        self,
        network: ResidualNetwork,
        rows: FloatArray,
        rng: np.random.Generator,
        sample_weight: ArrayLike | None,  # noqa: ARG002  # for bases that take them
    ) -> Iterator[float]:
        return train(network, rows, NoiseSchedule(self.n_steps), self._training(), rng)

    def _has_stopped(self, losses: Sequence[float]) -> bool:
        return self.early_stopping and len(losses) >= FIRST_STOP and losses[-1] > losses[-1 - PATIENCE]

    def _build(self, rng: np.random.Generator) -> ResidualNetwork:
        return new_residual_network(self.n_features_in_, self.n_steps, self.dropout, rng)

    def _check_settings(self) -> None:
        at_least(1, n_steps=self.n_steps, reverse_steps=self.reverse_steps)
        at_least(2, batch_size=self.batch_size)  # one row has no variance, which batch norm divides by
        if self.reverse_steps > self.n_steps:
            raise InputError(
                f"reverse_steps is {self.reverse_steps}, expected at most the {self.n_steps} n_steps"
            )
        if (
            not isinstance(self.dropout, tuple | list)
            or len(self.dropout) != 2
            or not all(0 <= share < 1 for share in self.dropout)
        ):
            raise InputError(f"dropout is {self.dropout!r}, expected two shares in [0, 1)")
