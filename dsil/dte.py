"""Diffusion time estimation: a row is as anomalous as the noise that it seems to carry."""

from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.checks import at_least, check_columns, matrix
from xadbench.datasets.errors import InputError, find
from xadbench.datasets.streams import stream

from .categorical import Categorical
from .diffusion import NoiseSchedule
from .estimator import Estimator
from .networks import MLP, new_mlp
from .training import Training, train

METHODS = {"categorical": Categorical}
ROWS_AT_ONCE = 8192  # bounds the memory of a scoring pass at some 40 MB


class DTE(Estimator):
    """Detector that estimates how far along a diffusion a row lies.

    A network learns from noised rows how strong their noise is; the score of a row is its estimate. Rows are
    taken as they are: standardise them per feature first. The same `random_state` gives the same fit on one
    machine, whatever the global random state, which stays untouched.

    Parameters
    ----------
    method
        What the network estimates: "categorical", the bin of the diffusion step.
    epochs, batch_size, learning_rate, weight_decay
        Settings of the training with Adam.
    loss
        "published": softmax, then a cross-entropy that applies log-softmax again, as behind the paper's
        tables; or "cross_entropy".
    n_steps
        Number T of diffusion steps.
    n_bins
        Number of bins of steps.
    random_state
        Seed, at least 0.

    Attributes
    ----------
    network_
        The trained network.
    n_rounds_
        How often it was trained: 1 after `fit`, one more after every `partial_fit`.
    n_features_in_
        Number of columns at fit.

    Notes
    -----
    Source: Livernoche et al. 2024, arXiv 2305.18593; settings of Vincent et al. 2025 ("DSIL").
    """

    version: ClassVar[int] = 1
    network_: MLP
    n_rounds_: int

    def __init__(
        self,
        method: str = "categorical",
        *,
        epochs: int = 400,
        batch_size: int = 128,
        learning_rate: float = 1e-4,
        weight_decay: float = 5e-4,
        loss: str = "published",
        n_steps: int = 400,
        n_bins: int = 7,
        random_state: int = 0,
    ) -> None:
        self.method = method
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.loss = loss
        self.n_steps = n_steps
        self.n_bins = n_bins
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002  # y: scikit-learn's signature
        """Train a new network on rows (n, d), n at least 2; `InputError` for bad rows or parameters."""
        rows = matrix(X, min_rows=2)
        at_least(0, random_state=self.random_state)
        self.n_features_in_ = rows.shape[1]
        self.network_ = new_mlp(rows.shape[1], self._objective().n_outputs, self._stream("weights"))
        self.n_rounds_ = 0
        return self._train(rows)

    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002  # as in fit
        """Train `epochs` more epochs on rows (n, d): the weights carry on, the optimiser is new.

        The first call is a `fit`.
        """
        if not hasattr(self, "network_"):
            return self.fit(X)
        return self._train(self._fitted_rows(X, min_rows=2))

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return the scores (n,) of rows (n, d), in [0, n_bins-1]; higher = more anomalous.

        Raises
        ------
        NotFittedError
            Before `fit`.
        InputError
            If `X` is not finite, or has another number of columns than at fit.
        """
        parts = torch.split(torch.tensor(self._fitted_rows(X)), ROWS_AT_ONCE)
        with torch.no_grad():
            return np.concatenate([self.score_tensor(part).numpy() for part in parts])

    def score_tensor(self, x: Tensor) -> Tensor:
        """Return the scores (n,), float64, of rows (n, d), float32 or float64; differentiable by `x`."""
        check_is_fitted(self)
        if x.ndim != 2:
            raise InputError(f"x has shape {tuple(x.shape)}, expected (n, d)")
        check_columns(x.shape[1], self.n_features_in_)
        return self._objective().score(self.network_(x.float()))

    def _train(self, rows: FloatArray) -> Self:
        rng = self._stream(f"round {self.n_rounds_}")
        schedule, training = NoiseSchedule(self.n_steps), self._training()
        train(self.network_, rows, self._objective(), schedule=schedule, training=training, rng=rng)
        self.n_rounds_ += 1
        return self

    def _objective(self) -> Categorical:
        return find("method", self.method, METHODS)(self.n_steps, self.n_bins, self.loss)

    def _training(self) -> Training:
        return Training(self.epochs, self.batch_size, self.learning_rate, self.weight_decay)

    def _stream(self, purpose: str) -> np.random.Generator:
        return stream(self.random_state, "dte", purpose)
