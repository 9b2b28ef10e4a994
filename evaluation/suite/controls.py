"""The controls of every leaderboard. They know what nobody else may: the truth, or what made the table."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.errors import InputError, NotApplicable
from xadbench.datasets.scale import Scale
from xadbench.evaluation.components.protocols import Detector
from xadbench.generator.oracle.bayes import BayesExplainer, BayesModel
from xadbench.generator.oracle.heuristic import Sequential
from xadbench.generator.oracle.likelihood_ratio import LikelihoodRatio
from xadbench.generator.oracle.network_density import NetworkDensity

from .tables import Source

ORACLE = "oracle"  # the name of an explainer and of a detector
NETWORK_DENSITY = "network_density"  # the detector that recipes' strengths are calibrated with
NONE = "none"  # names no feature: for detectors alone, and for metrics that say how much that is worth
NETWORK_UNKNOWN = "the network that made the table is not known"
DETECTORS = frozenset({ORACLE, NETWORK_DENSITY})  # controls that are detectors
_MODELS: WeakKeyDictionary[Source, BayesModel] = WeakKeyDictionary()  # they outlive no table


def control_detector(name: str, source: Source) -> Detector | None:
    """Return a control for the standardised table; None without a network.

    `oracle` is the likelihood ratio of anomalies and normal rows, which no detector beats; `network_density`
    is -log p of the network alone.

    Raises
    ------
    NotApplicable
        If the posterior of the table's kinds cannot be computed.
    """
    if source.network is None:
        return None
    scale = Scale.of((source.training or source.table).X)
    if name == NETWORK_DENSITY:
        return NetworkDensity(source.network, scale.middle, scale.deviation)
    return LikelihoodRatio(_model(source), scale.middle, scale.deviation)


def _model(source: Source) -> BayesModel:
    if source not in _MODELS:
        assert source.network is not None  # noqa: S101  # whoever asks has looked
        try:
            _MODELS[source] = BayesModel.of_table(source.network, source.table)
        except InputError as error:
            raise NotApplicable(str(error)) from None
    return _MODELS[source]


def _truth(source: Source, rows: IntArray) -> FloatArray:
    return _mask(source)[rows].astype(float)


def _inverted_truth(source: Source, rows: IntArray) -> FloatArray:
    return (~_mask(source)[rows]).astype(float)


def _oracle(source: Source, rows: IntArray) -> FloatArray | None:
    """Return what can be known at best, from the network and the kinds of anomalies."""
    if source.network is None:
        return None
    return BayesExplainer(_model(source)).explain(source.table.X[rows])


def _oracle_network(source: Source, rows: IntArray) -> FloatArray | None:
    """Return what can be known from the network, as if one to four cells had values from their margins."""
    if source.network is None:
        return None
    try:
        model = BayesModel.of_network(source.network)
    except InputError as error:
        raise NotApplicable(str(error)) from None
    return BayesExplainer(model).explain(source.table.X[rows])


def _network_heuristic(source: Source, rows: IntArray) -> FloatArray | None:
    """Return sequential repair by the network that made the table."""
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
    "oracle_network": _oracle_network,
    "network_heuristic": _network_heuristic,
    "truth": _truth,
    "inverted_truth": _inverted_truth,
    NONE: _nothing,
}
# What stands in every leaderboard; `random` is an explainer as others are.
ALWAYS = ("random", ORACLE, "oracle_network", "truth", "inverted_truth")
_VERSIONS = {ORACLE: 2}  # raised when a control's results change


def control_version(name: str) -> int:
    """Return the version of a control."""
    return _VERSIONS.get(name, 1)
