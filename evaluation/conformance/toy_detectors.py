"""Toy detectors with known ground truth, which offer an explainer all that it can require."""

from functools import cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.rng import stream

if TYPE_CHECKING:
    import torch

WEIGHTS = np.array([0.5, 0.0, 4.0, 0.1, -0.2])
DECISIVE = 2  # the feature that such a score hangs on
WIDTH = 64


def toy_rows(name: str, n_rows: int, n_features: int = len(WEIGHTS)) -> FloatArray:
    """Return rows (n, d) of standard normal values, the same for the same name; the caller's to change."""
    return stream(0, "toy", name).standard_normal((n_rows, n_features))


class Plain:
    """The score w x through a matrix product, as a network would, and nothing but the score."""

    def __init__(self) -> None:
        self.n_fits = 0

    def fit(self, X: FloatArray) -> Self:  # noqa: ARG002  # a detector's signature
        """Learn nothing, but remember that it was asked to."""
        self.n_fits += 1
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return the scores (n,)."""
        halves = np.maximum(np.asarray(X) @ np.stack([WEIGHTS, -WEIGHTS], axis=1), 0)
        scores: FloatArray = halves @ np.array([1.0, -1.0])
        return scores

    def get_params(self) -> dict[str, Any]:
        """Return nothing."""
        return {}


class Linear(Plain):
    """The same with all that an explainer can require."""

    @property
    def forest_(self) -> Any:
        """A forest fitted to rows like those of the toy, for explainers that look at nothing else."""
        return _forest()

    def reconstruction_error(self, X: FloatArray) -> FloatArray:
        """Return an error (n, d) that grows with what a value adds to the score."""
        errors: FloatArray = np.square(np.asarray(X) * WEIGHTS)
        return errors

    def score_tensor(self, x: "torch.Tensor") -> "torch.Tensor":
        """Return the scores (n,), with gradients."""
        import torch  # noqa: PLC0415  # slow to import

        return x @ torch.tensor(WEIGHTS, dtype=x.dtype)

    def score_module(self) -> "torch.nn.Module":
        """Return the score as a module."""
        import torch  # noqa: PLC0415  # as above

        return torch.nn.Sequential(_layer(WEIGHTS[:, None]), torch.nn.Flatten(0))


class Curved(Linear):
    """A small network whose products round differently in batches of different size."""

    first = toy_rows("first layer", len(WEIGHTS), WIDTH)
    second = toy_rows("second layer", WIDTH, WIDTH)

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return the scores (n,)."""
        import torch  # noqa: PLC0415  # as above

        scores: FloatArray = self.score_tensor(torch.tensor(X)).numpy()
        return scores

    def score_tensor(self, x: "torch.Tensor") -> "torch.Tensor":
        """Return the scores (n,), with gradients."""
        import torch  # noqa: PLC0415  # as above

        hidden = torch.tanh(x.float() @ torch.tensor(self.first).float())
        return torch.tanh(hidden @ torch.tensor(self.second).float()).sum(dim=1).double()

    def score_module(self) -> "torch.nn.Module":
        """Return the score as a module."""
        import torch  # noqa: PLC0415  # as above

        hidden = [_layer(self.first), torch.nn.Tanh(), _layer(self.second), torch.nn.Tanh()]
        return torch.nn.Sequential(*hidden, _layer(np.ones((WIDTH, 1))), torch.nn.Flatten(0))


@cache
def _forest() -> Any:
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415  # slow to import

    return IsolationForest(random_state=0).fit(toy_rows("background", 300))


def _layer(weights: FloatArray) -> "torch.nn.Linear":
    import torch  # noqa: PLC0415  # as above

    with torch.device("meta"):  # no weights are drawn
        layer = torch.nn.Linear(weights.shape[0], weights.shape[1], bias=False, dtype=torch.float64)
    layer.weight = torch.nn.Parameter(torch.tensor(weights.T), requires_grad=False)
    return layer
