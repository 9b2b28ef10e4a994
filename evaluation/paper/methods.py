"""The methods of the paper's tables, by the names that the published figures have for them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from xadbench.datasets import LabelledTable, resize, standardise
from xadbench.datasets.errors import unknown
from xadbench.datasets.preprocess import semi_supervised_split
from xadbench.datasets.streams import stream
from xadbench.evaluation.detectors import DETECTORS, VersionedDetector, make_detector

PREPARATION_VERSION = 1  # raised when `prepare` gives other rows
SILENT = frozenset({"verbose"})  # parameters that change no result


@dataclass(frozen=True)
class Method:
    """A detector with its parameters, and what it may train on.

    `semi_supervised`: on half of the normal rows, tested on the other half and all anomalies; otherwise on
    all rows, tested on the same.
    """

    name: str
    detector: str
    params: Mapping[str, Any] = field(default_factory=dict)
    semi_supervised: bool = False

    def make(self, seed: int) -> VersionedDetector:
        """Return the unfitted detector; `InputError` for unknown parameters."""
        return make_detector(self.detector, random_state=seed, **self.params)

    def prepare(self, table: LabelledTable, seed: int) -> tuple[LabelledTable, LabelledTable]:
        """Return the training and the test rows, resized by ADBench's rules, standardised on the former."""
        resized = resize(table, stream(seed, "resize"))
        if not self.semi_supervised:
            rows = standardise(resized)
            return rows, rows
        training, test = semi_supervised_split(resized, stream(seed, "semi-supervised split"))
        return standardise(training), standardise(test, training)

    def identity(self, seed: int) -> dict[str, Any]:
        """Return, as JSON values, all of the method that determines its results."""
        made = dict(_parts(self.detector, self.make(seed)))
        return {"preparation": PREPARATION_VERSION, "semi_supervised": self.semi_supervised, "detector": made}


def _parts(name: str, component: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the version and parameters of a detector, then of each detector inside it."""
    params = dict(component.get_params())
    inner = {key: part for key, part in params.items() if isinstance(part, BaseEstimator)}
    plain = {
        key: _json(value) for key, value in params.items() if key not in {*inner, *SILENT} and "__" not in key
    }
    yield name, {"version": getattr(component, "version", None), "params": plain}
    for key, part in inner.items():
        yield from _parts(f"{name}.{key}", part)


def _json(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


PAPER = {
    method.name: method
    for method in (
        Method("dsil_fixed", "dsil_fixed"),
        Method("dsil_cosine", "dsil_cosine"),
        Method("dsil_exponential", "dsil_exponential"),
        Method("dte_unsupervised", "dte"),
        Method("dte_weighted_loss", "dte_weighted"),
        Method("dte_semi_supervised", "dte", semi_supervised=True),
    )
}


def find_method(name: str) -> Method:
    """Return a method of the paper, or a registered detector as a method; `InputError` for other names."""
    if name in PAPER and PAPER[name].detector in DETECTORS:
        return PAPER[name]
    if name in DETECTORS:
        return Method(name, name)
    raise unknown("method", name, PAPER.keys() | DETECTORS.keys())
