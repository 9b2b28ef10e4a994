"""The controls of every leaderboard. They know what nobody else may: the truth, or what made the table."""

from collections.abc import Callable

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.scale import Scale
from xadbench.generator.oracle.heuristic import Sequential
from xadbench.generator.oracle.network_density import NetworkDensity

from .tables import Source

VERSION = 1  # raised when a control's results change
ORACLE = "oracle"  # the name of an explainer and of a detector
NONE = "none"  # names no feature: for detectors alone, and for metrics that say how much that is worth
NETWORK_UNKNOWN = "the network that made the table is not known"


def oracle_detector(source: Source) -> NetworkDensity | None:
    """Return the detector that no other can beat, for the standardised table; None without a network."""
    if source.network is None:
        return None
    scale = Scale.of((source.training or source.table).X)
    return NetworkDensity(source.network, scale.middle, scale.deviation)


def _truth(source: Source, rows: IntArray) -> FloatArray:
    return _mask(source)[rows].astype(float)


def _inverted_truth(source: Source, rows: IntArray) -> FloatArray:
    return (~_mask(source)[rows]).astype(float)


def _oracle(source: Source, rows: IntArray) -> FloatArray | None:
    """Return what can be known at best: sequential repair by the network that made the table."""
    if source.network is None:
        return None
    X = source.table.X
    return Sequential(source.network).fit(NetworkDensity(source.network), background=X).explain(X[rows])


def _nothing(source: Source, rows: IntArray) -> FloatArray:
    return np.zeros((len(rows), source.table.n_features))


def _mask(source: Source) -> BoolArray:
    mask: BoolArray = source.table.mask  # type: ignore[assignment]  # trials without a mask are skipped
    return mask


# Attributions (r, d) for the table's rows (r,); None where a table does not offer what the control must know.
CONTROLS: dict[str, Callable[[Source, IntArray], FloatArray | None]] = {
    ORACLE: _oracle,
    "truth": _truth,
    "inverted_truth": _inverted_truth,
    NONE: _nothing,
}
# What stands in every leaderboard; `random` is an explainer as others are.
ALWAYS = ("random", ORACLE, "truth", "inverted_truth")
