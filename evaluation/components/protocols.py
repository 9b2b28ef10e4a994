"""What a detector and an explainer are, and what an explainer may ask of a detector."""

from collections.abc import Mapping
from typing import Any, Protocol, Self, runtime_checkable

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError, find

DETECTOR_METHODS = ("fit", "decision_function")


class Detector(Protocol):
    """PyOD's and scikit-learn's convention for detectors.

    A detector that torch can differentiate offers `score_tensor(x) -> tensor` too: the scores (n,) of the
    rows of a float64 tensor (n, d), with gradients towards `x`.
    """

    def fit(self, X: FloatArray) -> Self:
        """Learn from rows (n, d), without labels."""

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return the scores (n,) of rows (n, d); higher is more anomalous."""

    def get_params(self) -> Mapping[str, Any]:
        """Return the parameters that it was made with."""


class VersionedDetector(Detector, Protocol):
    """A registered detector: its `version` is raised when its results change."""

    @property
    def version(self) -> int | str:
        """Part of a trial's identity."""


# What an explainer can require, and what provides it: the fitted trees; `score_tensor(x)`; `score_module()`,
# the score as a torch module with every activation a module of its own; `reconstruction_error(X)`, (n, d).
PROVIDED_BY = {
    "forest": "forest_",
    "gradient": "score_tensor",
    "module": "score_module",
    "reconstruction": "reconstruction_error",
}
EXPLAINER_METHODS = ("fit", "explain")


@runtime_checkable
class Explainer(Protocol):
    """Attributes features for a detector's scores, without a look at the truth.

    The attributions of a row depend on the detector, the background, the seed and the row alone: not on the
    other rows, their order or the worker. No global random state is used or changed.

    Three attributes may be there. `requires`, a frozenset of keys of `PROVIDED_BY`, is what it needs of a
    detector; nothing without. `version`, raised when results change, is part of a trial's identity, and so is
    the installed version of `library`, the distribution that does the work; of code that is loaded by
    `module:Name`, the hash of the source is so too.
    """

    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Take a fitted detector and the rows (b, d) that stand for its training data.

        Raises
        ------
        Unsuitable
            If the explainer is not made for such a background, as by its number of features.
        """

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the attributions (n, d) of each value of rows (n, d): finite, higher is more responsible."""


def missing(explainer: Explainer, detector: Detector) -> str | None:
    """Return why an explainer cannot explain a detector, in one line; None if it can.

    Raises
    ------
    InputError
        If the explainer requires what no detector can provide, or `requires` is text and no set.
    """
    needs = getattr(explainer, "requires", ())
    if isinstance(needs, str):  # whose letters would be taken for names
        raise InputError(f"requires is {needs!r}, expected a set of names, such as {{{needs!r}}}")
    for need in sorted(needs):
        method = find("requirement", need, PROVIDED_BY)
        if not hasattr(detector, method):
            return f"the explainer needs a {need}, and the detector has no {method}"
    return None
