"""What the detectors that train a network share: epochs and their history, devices, saving."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import islice
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from torch import nn

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream
from xadbench.dsil.diffusion.training import Training, denormals_flushed
from xadbench.dsil.networks.mlp import find_device, load_weights, weights_of

from .base import Detector, Interrupted
from .progress import FitProgress


class NetworkDetector(Detector):
    """A detector by a network: `_build`, `_epochs` and `_scores` make one.

    Attributes
    ----------
    network_
        The trained network; none of its weights needs a gradient.
    n_rounds_
        How often it was trained: 1 after `fit`, one more after every `partial_fit`.
    history_ : pandas.DataFrame
        The mean loss of every epoch, in columns round, epoch (both from 1) and loss.
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`.
    """

    stream_name: ClassVar[str]  # of its random streams
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    device: str
    verbose: bool | None
    random_state: int
    network_: nn.Module
    n_rounds_: int
    history_: pd.DataFrame

    def _partial_fit(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train `epochs` more epochs, or for the first time, without a warning of the rows."""
        if not hasattr(self, "network_"):
            self._fit(X, sample_weight)
            return self
        with one_thread(), self._whole_or_not():
            rows = self._fitted_rows(X, min_rows=2)
            self._train(deepcopy(self.network_), rows, sample_weight)
            return self._score_training_rows(rows)

    def _learn(self, rows: FloatArray, sample_weight: ArrayLike | None = None) -> None:
        at_least(0, random_state=self.random_state)
        self.n_rounds_ = 0
        self._train(self._new_network(), rows, sample_weight)

    def _train(self, network: nn.Module, rows: FloatArray, sample_weight: ArrayLike | None) -> None:
        """Train `network` in place, and make it the detector's.

        An interrupt leaves the detector as `fit` with the finished epochs alone would have made it.
        """
        epochs = self._epochs(network, rows, self._stream(f"round {self.n_rounds_}"), sample_weight)
        losses: list[float] = []
        try:
            with denormals_flushed(), FitProgress("epoch", self.epochs, verbose=self.verbose) as progress:
                for loss in islice(epochs, self.epochs):
                    # A copy, since an interrupt may leave the next epoch half-way.
                    weights, losses = deepcopy(weights_of(network)), [*losses, loss]
                    progress.advance(len(losses), loss=loss)
                    if self._has_stopped(losses):
                        break
        except KeyboardInterrupt:
            if not losses:
                raise
            load_weights(network, weights)
            self._keep(network, losses)
            self._score_training_rows(rows)
            raise Interrupted("epoch", len(losses), self.epochs) from None
        self._keep(network, losses)

    def _keep(self, network: nn.Module, losses: Sequence[float]) -> None:
        """Take over a network that was trained for epochs of these mean losses."""
        self.network_ = network.eval().requires_grad_(requires_grad=False)
        self.n_rounds_ += 1
        new = {"round": self.n_rounds_, "epoch": np.arange(1, len(losses) + 1), "loss": losses}
        former = [self.history_] if self.n_rounds_ > 1 else []
        self.history_ = pd.concat([*former, pd.DataFrame(new)], ignore_index=True)

    def _degeneracies(self, rows: FloatArray) -> Iterator[str]:
        yield from super()._degeneracies(rows)
        if len(rows) < self.batch_size:
            yield (
                f"X has {len(rows)} rows, fewer than batch_size = {self.batch_size}: "
                f"an epoch is a single step of training, and all {self.epochs} may be too few"
            )

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "network_": weights_of(self.network_)}

    def _restore(self, state: dict[str, Any]) -> None:
        super()._restore(state)
        self.network_ = self._new_network()
        load_weights(self.network_, state["network_"])

    def _new_network(self) -> nn.Module:
        """Return a network for the columns of the fit, on the device."""
        device = find_device(self.device)
        return self._build(self._stream("weights")).to(device)

    def _training(self) -> Training:
        return Training(self.epochs, self.batch_size, self.learning_rate, self.weight_decay)

    def _stream(self, purpose: str) -> np.random.Generator:
        return stream(self.random_state, self.stream_name, purpose)

    def _has_stopped(self, losses: Sequence[float]) -> bool:  # noqa: ARG002  # for those that stop early
        """Return whether to stop after epochs of these losses."""
        return False

    @abstractmethod
    def _build(self, rng: np.random.Generator) -> nn.Module:
        """Return a network for rows of `n_features_in_` columns, whose weights come from `rng` alone."""

    @abstractmethod
    def _epochs(
        self, network: Any, rows: FloatArray, rng: np.random.Generator, sample_weight: ArrayLike | None
    ) -> Iterator[float]:
        """Train `network` in place on `rows` (n, d); yield the mean loss after each epoch, for ever.

        `sample_weight` is None where the public methods take none.
        """
