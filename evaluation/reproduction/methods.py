"""The detection methods of the paper's tables, by the names that the published figures have for them."""

from dataclasses import dataclass

from xadbench.datasets.common.errors import unknown
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.suite.spec import Component

from .published_figures import published


@dataclass(frozen=True)
class Method:
    """A detector, and whether it is trained on half of the normal rows and tested on the other rows."""

    name: str
    detector: Component
    semi_supervised: bool = False


PAPER = {
    name: Method(name, Component(name=detector), semi_supervised)
    for name, detector, semi_supervised in (
        ("dsil_fixed", "dsil_fixed", False),
        ("dsil_cosine", "dsil_cosine", False),
        ("dsil_exponential", "dsil_exponential", False),
        ("dte_unsupervised", "dte", False),
        ("dte_weighted_loss", "dte_weighted", False),
        ("dte_semi_supervised", "dte", True),
    )
}
NAMES = {(one.detector.label, one.semi_supervised): one.name for one in PAPER.values()}
RATIOS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def find_method(name: str) -> Method:
    """Return a method of the paper, or a registered detector as a method; `InputError` for other names.

    A detector that is a method of the paper under another name is that method.
    """
    if name in PAPER:
        return PAPER[name]
    if name in DETECTORS:
        return PAPER.get(NAMES.get((name, False), name)) or Method(name, Component(name=name))
    raise unknown("method", name, PAPER.keys() | DETECTORS.keys())


def paper_methods() -> list[Method]:
    """Return all methods of the paper."""
    return list(PAPER.values())


def supplement_methods() -> list[Method]:
    """Return the methods whose F1 was published."""
    names = set(published("supplement_f1")["method"])
    return [method for method in PAPER.values() if method.name in names]


def unsupervised_methods() -> list[Method]:
    """Return the unsupervised methods of the paper, then every other detector."""
    methods = [method for method in PAPER.values() if not method.semi_supervised]
    return list({method.name: method for method in [*methods, *map(find_method, DETECTORS)]}.values())


def dsil_methods() -> list[Method]:
    """Return DSIL with each of its schedules."""
    return [method for method in PAPER.values() if method.name.startswith("dsil")]


def retention_methods() -> list[Method]:
    """Return DSIL with each share of rows to keep."""
    labels = {ratio: f"dsil_fixed_r{ratio}" for ratio in RATIOS}
    return [
        Method(label, Component(name="dsil_fixed", params={"r": ratio}, label=label))
        for ratio, label in labels.items()
    ]
