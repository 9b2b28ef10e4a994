"""Diffusion time estimation: a row is as anomalous as the noise that it seems to carry."""

from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.checks import at_least, check_columns
from xadbench.datasets.errors import InputError, find
from xadbench.datasets.streams import stream

from .categorical import Categorical
from .diffusion import NoiseSchedule
from .estimator import Detector
from .networks import MLP, new_mlp
from .training import Training, train

METHODS = {"categorical": Categorical}
ROWS_AT_ONCE = 8192  # bounds the memory of a scoring pass at some 40 MB


class DTE(Detector):
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
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`. Scores are in [0, n_bins-1].

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
        contamination: float = 0.1,
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
        self.contamination = contamination
        self.random_state = random_state

    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002  # scikit-learn's signature
        """Train `epochs` more epochs on rows (n, d): the weights carry on, the optimiser is new.

        The first call is a `fit`.
        """
        if not hasattr(self, "network_"):
            return self.fit(X)
        rows = self._fitted_rows(X, min_rows=2)
        self._train(rows)
        return self._judge(rows)

    def score_tensor(self, x: Tensor) -> Tensor:
        """Return the scores (n,), float64, of rows (n, d), float32 or float64; differentiable by `x`."""
        check_is_fitted(self)
        if x.ndim != 2:
            raise InputError(f"x has shape {tuple(x.shape)}, expected (n, d)")
        check_columns(x.shape[1], self.n_features_in_)
        return self._objective().score(self.network_(x.float()))

    def _learn(self, rows: FloatArray) -> None:
        at_least(0, random_state=self.random_state)
        self.network_ = new_mlp(rows.shape[1], self._objective().n_outputs, self._stream("weights"))
        self.n_rounds_ = 0
        self._train(rows)

    def _scores(self, rows: FloatArray) -> FloatArray:
        parts = torch.split(torch.tensor(rows), ROWS_AT_ONCE)
        with torch.no_grad():
            return np.concatenate([self.score_tensor(part).numpy() for part in parts])

    def _train(self, rows: FloatArray) -> None:
        rng = self._stream(f"round {self.n_rounds_}")
        schedule, training = NoiseSchedule(self.n_steps), self._training()
        train(self.network_, rows, self._objective(), schedule=schedule, training=training, rng=rng)
        self.n_rounds_ += 1

    def _objective(self) -> Categorical:
        return find("method", self.method, METHODS)(self.n_steps, self.n_bins, self.loss)

    def _training(self) -> Training:
        return Training(self.epochs, self.batch_size, self.learning_rate, self.weight_decay)

    def _stream(self, purpose: str) -> np.random.Generator:
        return stream(self.random_state, "dte", purpose)
