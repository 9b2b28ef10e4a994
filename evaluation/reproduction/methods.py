"""The methods of the paper's tables, by the names that the published figures have for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xadbench.datasets import LabelledTable, resize, standardise
from xadbench.datasets.common.errors import unknown
from xadbench.datasets.preprocessing import semi_supervised_split
from xadbench.datasets.rng import stream
from xadbench.evaluation.components.protocols import VersionedDetector
from xadbench.evaluation.components.registry import identity
from xadbench.evaluation.detectors import DETECTORS, make_detector

PREPARATION_VERSION = 1  # raised when `prepare` gives other rows


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
        made = identity(self.detector, self.make(seed))
        return {"preparation": PREPARATION_VERSION, "semi_supervised": self.semi_supervised, "detector": made}


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
