"""What a detector is, and the detectors that a suite can name."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any, Protocol, Self

import numpy as np

from xadbench.datasets.arrays import FloatArray

from .registry import Entry, Factory, factory_of, keywords, make


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
    def version(self) -> int:
        """Part of a trial's identity."""


class PyODDetector:
    """Any detector of PyOD, as a `Detector`.

    Parameters
    ----------
    model
        An unfitted PyOD model.
    """

    version = 1

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: FloatArray) -> Self:
        """Fit the model to rows (n, d)."""
        self.model.fit(X)
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        """Return the model's scores (n,) of rows (n, d); higher is more anomalous."""
        return np.asarray(self.model.decision_function(X), dtype=np.float64)

    def get_params(self) -> Mapping[str, Any]:
        """Return the model's parameters."""
        params: dict[str, Any] = self.model.get_params(deep=False)
        return params


def _pyod(module: str, model: str) -> Factory[VersionedDetector]:
    inner = factory_of(getattr(import_module(f"pyod.models.{module}"), model))
    return Factory(lambda **params: PyODDetector(inner.build(**params)), inner.accepts)


def _dte() -> Factory[VersionedDetector]:
    from xadbench.dsil import DTE  # noqa: PLC0415  # torch takes a second to import

    return factory_of(DTE)


def _dsil(retention: str) -> Factory[VersionedDetector]:
    from xadbench.dsil import DSIL, DTE  # noqa: PLC0415  # as above

    inner, own = factory_of(DTE, method="categorical"), keywords(DSIL) - {"base", "retention", "random_state"}

    def build(random_state: int, **params: Any) -> VersionedDetector:
        base = inner.build(random_state, **{name: params[name] for name in params if name not in own})
        outer = {name: params[name] for name in params if name in own}
        detector: VersionedDetector = DSIL(base, retention=retention, random_state=random_state, **outer)
        return detector

    return Factory(build, inner.accepts | own)


DETECTORS: dict[str, Entry[VersionedDetector]] = {
    "dsil_fixed": Entry("DSIL over DTE-categorical, keeps the same share each time", partial(_dsil, "fixed")),
    "dsil_cosine": Entry("DSIL over DTE-categorical, share falls as a cosine", partial(_dsil, "cosine")),
    "dsil_exponential": Entry(
        "DSIL over DTE-categorical, share falls exponentially", partial(_dsil, "exponential")
    ),
    "dte": Entry("diffusion time estimation, trained on all rows", _dte),
    "iforest": Entry("isolation forest (PyOD)", partial(_pyod, "iforest", "IForest")),
}


def make_detector(name: str, *, random_state: int, **params: Any) -> VersionedDetector:
    """Make an unfitted detector.

    Parameters
    ----------
    name
        A key of `DETECTORS`.
    random_state
        Seed, at least 0.
    **params
        Parameters of the detector; for `dsil_*`, those of DSIL and of its base DTE (such as `epochs`).

    Raises
    ------
    InputError
        If the name or a parameter is unknown; the message names the known ones.

    Examples
    --------
    >>> from xadbench.evaluation.detectors import make_detector
    >>> make_detector("iforest", random_state=0, n_estimators=50).get_params()["n_estimators"]
    50
    """
    return make("detector", name, DETECTORS, random_state, params)
