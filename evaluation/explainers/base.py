"""What an explainer is, and what it may ask of a detector."""

from collections.abc import Callable
from typing import Protocol, Self, runtime_checkable

import numpy as np

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.errors import InputError, find
from xadbench.evaluation.detectors import Detector

# What an explainer can require, and what provides it: the fitted trees; `score_tensor(x)`; `score_module()`,
# the score as a torch module with every activation a module of its own; `reconstruction_error(X)`, (n, d).
PROVIDED_BY = {
    "forest": "forest_",
    "gradient": "score_tensor",
    "module": "score_module",
    "reconstruction": "reconstruction_error",
}

ExplainFunction = Callable[[Detector, FloatArray, FloatArray], FloatArray]


@runtime_checkable
class Explainer(Protocol):
    """Blames features for a detector's scores, without a look at the truth.

    The attributions of a row depend on the detector, the background, the seed and the row alone: not on the
    other rows, their order or the worker. No global random state is used or changed.
    """

    @property
    def requires(self) -> frozenset[str]:
        """What it needs of a detector: keys of `PROVIDED_BY`."""

    @property
    def version(self) -> int:
        """Part of a trial's identity, raised when results change."""

    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Take a fitted detector and the rows (b, d) that stand for its training data.

        Raises
        ------
        Unsuitable
            If the explainer is not made for such a background, as by its number of features.
        """

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the blame (n, d) of each value of rows (n, d): finite, higher is more to blame."""


class FunctionExplainer:
    """A plain function as an `Explainer`.

    Parameters
    ----------
    function
        Called as `function(detector, background, X)`; returns the blame (n, d).
    requires
        What the function needs of a detector.
    version
        To be raised when the function's results change.

    Examples
    --------
    >>> import numpy as np
    >>> from xadbench.evaluation.explainers import FunctionExplainer
    >>> size = FunctionExplainer(lambda detector, background, X: np.abs(X))
    >>> size.fit(detector=None, background=np.zeros((1, 2))).explain(np.array([[-1.0, 0.5]]))
    array([[1. , 0.5]])
    """

    def __init__(
        self, function: ExplainFunction, requires: frozenset[str] = frozenset(), version: int = 1
    ) -> None:
        self.function = function
        self.requires = requires
        self.version = version

    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Keep both for the function."""
        self._detector, self._background = detector, background
        return self

    def explain(self, X: FloatArray) -> FloatArray:
        """Return what the function returns."""
        return np.asarray(self.function(self._detector, self._background, X), dtype=np.float64)


def as_explainer(explainer: Explainer | ExplainFunction) -> Explainer:
    """Return an explainer as it is, and a plain function as a `FunctionExplainer`; `InputError` otherwise."""
    if isinstance(explainer, type):
        raise InputError(f"{explainer.__name__} is a class, expected an explainer made from it")
    if isinstance(explainer, Explainer):
        return explainer
    if callable(explainer) and not hasattr(explainer, "explain"):
        return FunctionExplainer(explainer)
    lacking = [part for part in ("requires", "version", "fit", "explain") if not hasattr(explainer, part)]
    raise InputError(f"{type(explainer).__name__} is no explainer: it lacks {', '.join(lacking)}")


def missing(explainer: Explainer, detector: Detector) -> str | None:
    """Return why an explainer cannot explain a detector, in one line; None if it can.

    Raises
    ------
    InputError
        If the explainer requires what no detector can provide.
    """
    for need in sorted(explainer.requires):
        method = find("requirement", need, PROVIDED_BY)
        if not hasattr(detector, method):
            return f"the explainer needs a {need}, and the detector has no {method}"
    return None


def row_by_row(function: Callable[[FloatArray], FloatArray], rows: FloatArray) -> FloatArray:
    """Apply a function to one row (d,) at a time.

    Matrix products round differently in batches of different size. One row at a time, a row's attributions
    are the same to the last bit, whatever rows come with it.
    """
    result = np.empty_like(rows)
    for i, row in enumerate(rows):
        result[i] = function(row)
    return result
