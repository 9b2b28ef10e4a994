"""Diffusion time estimation: a row is as anomalous as the noise that it seems to carry."""

from collections.abc import Callable, Iterator
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.errors import find
from xadbench.datasets.common.threads import one_thread
from xadbench.dsil.diffusion.categorical import Categorical
from xadbench.dsil.diffusion.inverse_gamma import InverseGamma
from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule
from xadbench.dsil.diffusion.training import relative_weights, train
from xadbench.dsil.networks.mlp import MLP, new_mlp
from xadbench.dsil.networks.objective import Objective
from xadbench.dsil.networks.score_modules import expected_bin_module

from .network_base import NetworkDetector

ROWS_AT_ONCE = 1024  # the activations of a part, some 4 MB, stay in the processor's cache


class DTE(NetworkDetector):
    """Detector that estimates how far along a diffusion a row lies.

    A network learns from noised rows how strong their noise is; the score of a row is its estimate. Rows are
    taken as they are: standardise them per feature first. The same `random_state` gives the same fit on one
    machine, whatever the global random state, which stays untouched.

    Parameters
    ----------
    method
        What the network estimates: "categorical", the bin of the diffusion step; or "inverse_gamma", the
        variance of the noise, for rows of at least 3 columns.
    epochs, batch_size, learning_rate, weight_decay
        Settings of the training with Adam.
    loss
        Of "categorical" alone. "published": softmax, then a cross-entropy that applies log-softmax again, as
        behind the paper's tables; or "cross_entropy".
    n_steps
        Number T of diffusion steps.
    n_bins
        Of "categorical" alone: number of bins of steps.
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
    history_ : pandas.DataFrame
        The mean loss of every epoch, in columns round, epoch (both from 1) and loss.
    decision_scores_, threshold_, labels_, n_features_in_
        As of every `Detector`. Scores of "categorical" are expected bins, in [0, n_bins-1]; those of
        "inverse_gamma" are scales of a variance, at least 0.

    Notes
    -----
    Source: Livernoche et al. 2024, arXiv 2305.18593; settings of Vincent et al. 2025 ("DSIL").
    """

    version: ClassVar[int] = 2
    stream_name: ClassVar[str] = "dte"
    network_: MLP

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
        device: str = "auto",
        verbose: bool | None = None,
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
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: object = None,  # noqa: ARG002  # scikit-learn's signature
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn from rows (n, d), n at least 2; labels are not used.

        Parameters
        ----------
        X
            The rows.
        y
            Not used.
        sample_weight
            What each row's loss is multiplied by, (n,), relative to the mean of all; None: equal weights.

        Raises
        ------
        InputError
            For bad rows, weights (not finite, negative, all 0) or parameters, or if the training diverges.
            It leaves the detector as it was before.
        KeyboardInterrupt
            Of an interrupt (Ctrl-C). The detector is as a fit with the finished epochs alone would be, ready
            for use; as before the fit if none was finished, or if a second interrupt cuts the scoring short.

        Warns
        -----
        DegenerateWarning
            If columns are constant, all rows equal, or fewer than a batch.
        InterruptWarning
            If an interrupt leaves finished epochs.
        """
        self._warn(self._fit(X, sample_weight))
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: object = None,  # noqa: ARG002  # scikit-learn's signature
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train `epochs` more epochs on rows (n, d): the weights carry on, the optimiser is new.

        The first call is a `fit`, whose parameters and errors it shares; it does not warn.
        """
        return self._partial_fit(X, sample_weight)

    @one_thread()
    def score_tensor(self, x: Tensor) -> Tensor:
        """Return the scores (n,), float64, of rows (n, d), float32 or float64; differentiable by `x`."""
        return self._estimate(self._fitted_tensor(x))

    @one_thread()
    def score_changes(self, rows: FloatArray, features: IntArray, values: FloatArray) -> FloatArray:
        """Return the scores of rows, and of each with one of its features at a time at other values.

        Parameters
        ----------
        rows : (r, d) float64
        features : (r, m) int
        values : (r, m, k) float64
            What each of a row's features is set to in turn.

        Returns
        -------
        (r, 1 + m k) float64
            A row's own score first. As `score_tensor` of the changed rows, up to rounding, in less time; see
            `MLP.after_changes`.
        """
        check_is_fitted(self)
        changes = values - np.take_along_axis(rows, features, axis=1)[:, :, None]
        device = self.network_.device
        x, shifts = (torch.from_numpy(part).to(device, torch.float32) for part in (rows, changes))
        with torch.no_grad():
            outputs = self.network_.after_changes(x, torch.from_numpy(features).to(device), shifts)
            scores: FloatArray = self._objective().score(outputs.flatten(0, 1)).numpy(force=True)
        return scores.reshape(len(rows), -1)

    @available_if(lambda self: self.method == "categorical")  # type: ignore[untyped-decorator]  # no types
    def score_module(self) -> nn.Sequential:
        """Return the score as a chain of modules, see `expected_bin_module`; only of "categorical"."""
        check_is_fitted(self)
        return expected_bin_module(self.network_)

    def _estimate(self, x: Tensor) -> Tensor:
        outputs = self.network_(x.to(self.network_.device, torch.float32))
        return self._objective().score(outputs).to(x.device)

    def _scores(self, rows: FloatArray) -> FloatArray:
        scores = np.empty(len(rows))  # filled in place: what stays between two parts fragments the memory
        with torch.no_grad():
            for start in range(0, len(rows), ROWS_AT_ONCE):
                part = slice(start, start + ROWS_AT_ONCE)
                scores[part] = self._estimate(torch.tensor(rows[part], dtype=torch.float32)).numpy()
        return scores

    def _epochs(
        self, network: MLP, rows: FloatArray, rng: np.random.Generator, sample_weight: ArrayLike | None
    ) -> Iterator[float]:
        return train(
            network,
            rows,
            self._objective(),
            schedule=NoiseSchedule(self.n_steps),
            training=self._training(),
            rng=rng,
            weights=None if sample_weight is None else relative_weights(sample_weight, len(rows)),
        )

    def _build(self, rng: np.random.Generator) -> MLP:
        return new_mlp(self.n_features_in_, self._objective().n_outputs, rng)

    def _objective(self) -> Objective:
        return find("method", self.method, METHODS)(self)


METHODS: dict[str, Callable[[DTE], Objective]] = {
    "categorical": lambda own: Categorical(own.n_steps, own.n_bins, own.loss),
    "inverse_gamma": lambda own: InverseGamma(own.n_features_in_, NoiseSchedule(own.n_steps)),
}
