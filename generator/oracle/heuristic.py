"""Explainers that know the network and test one feature, or one after the other.

All take rows in the network's own units, or in the units of a table standardised by `mean` and `std`.
"""

from abc import abstractmethod
from typing import ClassVar, NamedTuple, Self

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.scale import Scale

from .base import KnowsNetwork
from .density import Line, along, from_own_parts, node_log_density, own_parts

PROBABLE = 3.0  # a gain that needs no repair
RARITY_OF_SPREAD = 2.0  # log odds of a wrong value alone against one that spread downstream
MAX_STEPS = 10
ROWS_AT_ONCE = 512  # bounds the memory of the grids


class HeuristicExplainer(KnowsNetwork):
    """An explainer that knows the network, and so has no use for the detector."""

    requires: ClassVar[frozenset[str]] = frozenset()

    def fit(self, detector: object, background: FloatArray) -> Self:  # noqa: ARG002  # the protocol's name
        """Take the features' ranges and standard deviations from the background (b, d)."""
        rows = self.in_units(background)
        if not len(rows):
            raise InputError("the background has no row; expected at least 1")
        self._bounds = np.stack([rows.min(axis=0), rows.max(axis=0)], axis=1)
        self._scale = Scale.of(rows).deviation
        return self

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the attributions (n, d) of each value of rows (n, d): finite, higher is more responsible."""
        rows = self.in_units(X)
        parts = (rows[i : i + ROWS_AT_ONCE] for i in range(0, len(rows), ROWS_AT_ONCE))
        return np.concatenate([np.empty((0, rows.shape[1])), *map(self._explain, parts)])

    @abstractmethod
    def _explain(self, rows: FloatArray) -> FloatArray:
        """Return the attribution of rows in the network's units."""

    def _drops(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return every feature's drop and its most likely value given the rest, both (n, d)."""
        terms = node_log_density(self.network, rows)
        lines = [
            along(self.network, rows, node, (low, high), terms)
            for node, (low, high) in zip(self.network.noise, self._bounds, strict=True)
        ]
        merged = Line(*(np.stack(parts, axis=1) for parts in zip(*lines, strict=True)))
        return merged.log_integral - terms.sum(axis=1, keepdims=True) - np.log(self._scale), merged.mode


class Surprise(HeuristicExplainer):
    """The attribution is the surprise of a value given its parents: -log p(x_i | parents of x_i).

    With x_i in units as of `SingleDrop`. A change of mechanism shows in it; where a value alone is wrong, it
    surprises the children just as well.
    """

    def _explain(self, rows: FloatArray) -> FloatArray:
        return -node_log_density(self.network, rows) - np.log(self._scale)


class SingleDrop(HeuristicExplainer):
    r"""The attribution is the drop in -log p when the feature is integrated out.

    .. math:: -\log p(x) + \log \int p(x) \, dx_i = -\log p(x_i \mid x_{-i})

    with x_i in units of its standard deviation in the background, so that no unit weighs more than another.
    """

    def _explain(self, rows: FloatArray) -> FloatArray:
        return self._drops(rows)[0]


class _Repairs(NamedTuple):
    """What repairing each feature of each row would gain, and how; all (n, d)."""

    gains: FloatArray
    values: FloatArray
    spread: BoolArray


class Sequential(HeuristicExplainer):
    """Attributions go to the features that must be repaired to make a row likely, the first one first.

    A feature is repaired in one of two ways. Either its value alone was wrong: it gets its most likely value
    given the others, and the gain is its drop, as of `SingleDrop`. Or its mechanism was, and what lies
    downstream followed: its noise is set to its mean, its descendants change with it, and the gain is its
    surprise less 2, as wrong values are the rule. Both gains are log Bayes factors of such a fault in that
    feature, one that spreads its value uniformly over a standard deviation.

    The feature with the largest gain is repaired, and so on with the gains of the row so repaired, until the
    largest is at most 3 (for a feature that the others determine to a tenth of its standard deviation: until
    it is within some 3 standard deviations given them), or 10 features are taken; none is taken twice. The
    first one taken gets 10, the next one 9, and so on; the others get 0 and less, in the order of their gains
    in the repaired row.
    """

    def _explain(self, rows: FloatArray) -> FloatArray:
        rows, repairs, attributions = rows.copy(), self._repairs(rows), np.zeros(rows.shape)
        unlikely = np.arange(len(rows))
        for step in range(min(MAX_STEPS, rows.shape[1])):
            left = np.where(attributions[unlikely] > 0, -np.inf, repairs.gains[unlikely])
            improbable = left.max(axis=1) > PROBABLE
            unlikely, chosen = unlikely[improbable], left[improbable].argmax(axis=1)
            attributions[unlikely, chosen] = MAX_STEPS - step
            rows[unlikely] = self._repaired(rows[unlikely], chosen, _Repairs(*(r[unlikely] for r in repairs)))
            for found, new in zip(repairs, self._repairs(rows[unlikely]), strict=True):
                found[unlikely] = new
        highest = np.where(attributions > 0, -np.inf, repairs.gains).max(axis=1, keepdims=True)
        return np.where(attributions > 0, attributions, repairs.gains - highest)

    def _repairs(self, rows: FloatArray) -> _Repairs:
        drops, modes = self._drops(rows)
        surprise = -node_log_density(self.network, rows) - np.log(self._scale) - RARITY_OF_SPREAD
        return _Repairs(np.maximum(drops, surprise), modes, surprise > drops)

    def _repaired(self, rows: FloatArray, chosen: IntArray, repairs: _Repairs) -> FloatArray:
        """Return the rows with the `chosen` feature of each, (n,), repaired."""
        cell = (np.arange(len(rows)), chosen)
        alone, own = rows.copy(), own_parts(self.network, rows)
        alone[cell] = repairs.values[cell]
        own[cell] = np.array([noise.moments()[0] for noise in self.network.noise.values()])[chosen]
        return np.where(repairs.spread[cell][:, None], from_own_parts(self.network, own), alone)
