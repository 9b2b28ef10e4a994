"""The likelihood of rows in which some nodes follow another mechanism and the change spreads.

The truncated factorisation: every node outside the set keeps p(x_i | parents), so against a normal row only
the factors of the nodes in the set change.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.rng import stream
from xadbench.generator.anomalies.base import number
from xadbench.generator.anomalies.contextual import Mechanism, opposite, other_function
from xadbench.generator.networks.noise import Noise

from .density import node_log_density, own_parts
from .linear_gaussian import block, cells, times, total_effects
from .new_values import Floor

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork

DRAWS = 512  # of a node's own part, for the probability that a change is too small


@dataclass(frozen=True, eq=False)
class MechanismRows:
    """Rows (n, d), and what each change of each node's mechanism would make of them; all (n, d, changes).

    Parameters
    ----------
    log_ratio
        log g(x_i | parents) - log p(x_i | parents); -inf where a node has no such change.
    own
        The node's own part before the change less that under its normal mechanism; NaN where it is not seen.
    small
        The probability that the change is smaller than the floor, and so drawn again.
    """

    log_ratio: FloatArray
    own: FloatArray
    small: FloatArray


@dataclass(frozen=True, eq=False)
class MechanismLikelihood:
    """What the kind `mechanism` makes of a row."""

    kind: Mechanism
    network: "AdditiveNoiseNetwork"
    floor: Floor

    @cached_property
    def _total_effects(self) -> FloatArray:
        """How far each node moves with each; of non-linear networks each by itself."""
        linear = all(term.function == "linear" for own in self.network.terms.values() for term in own)
        return total_effects(self.network) if linear else np.eye(len(self.network))

    @cached_property
    def _drawn(self) -> FloatArray:
        """Draws of every node's own part, (DRAWS, d)."""
        rng = stream(0, "oracle", "mechanism")
        return np.stack([noise.draw(rng, DRAWS) for noise in self.network.noise.values()], axis=1)

    def of_rows(self, X: FloatArray) -> MechanismRows:
        """Return what the changes of mechanisms make of rows (n, d)."""
        columns = dict(zip(self.network.noise, X.T, strict=True))
        normal, own = node_log_density(self.network, X), own_parts(self.network, X)
        shape = (*X.shape, len(self.kind.changes))
        log_ratio, hidden, small = np.full(shape, -np.inf), np.zeros(shape), np.zeros(shape)
        for i, (node, noise) in enumerate(self.network.noise.items()):
            terms = self.network.terms_of(node)
            choices = [change for change in self.kind.changes if terms or change == "noise"] or ["noise"]
            for what in choices:
                at = (slice(None), i, self.kind.changes.index(what) if what in self.kind.changes else 0)
                if what == "noise":
                    found, hidden[at] = self._widened(noise, own[:, i]), np.nan
                    small[at] = self._small_widening(noise, i)
                else:
                    new = map(opposite if what == "weights" else other_function, terms)
                    moved = sum(term.value(columns) for term in new) - (X[:, i] - own[:, i])
                    found, hidden[at] = noise.log_density(own[:, i] - moved), -moved
                    small[at] = np.abs(moved) < self.floor.least[i]
                log_ratio[at] = found - normal[:, i] - np.log(len(choices))
        return MechanismRows(log_ratio, hidden, small)

    def _widened(self, noise: Noise, own: FloatArray) -> FloatArray:
        (mean, _), strength = noise.moments(), number(self.kind.strength)
        return np.asarray(noise.log_density(mean + (own - mean) / strength) - np.log(strength))

    def _small_widening(self, noise: Noise, i: int) -> float:
        mean, drawn = noise.moments()[0], self._drawn[:, i]
        widened = mean + number(self.kind.strength) * (np.roll(drawn, 1) - mean)
        return float((np.abs(widened - drawn) < self.floor.least[i]).mean())

    def screen(self, rows: MechanismRows, sets: IntArray) -> FloatArray:
        """Return the log Bayes factor (n, s) of sets (s, m) or (n, s, m) without the floor."""
        each = np.logaddexp.reduce(rows.log_ratio, axis=-1)
        return np.asarray(cells(each, sets).sum(axis=-1))

    def refined(
        self, rows: MechanismRows, own: FloatArray, sets: IntArray, uniform: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the log Bayes factor (n,) of a set (n, m) a row, floor included, and its relative error.

        Parameters
        ----------
        rows
            Of n rows.
        own : (n, d) float64
            The nodes' own parts under their normal mechanisms.
        sets : (n, m) int
            The set of each row.
        uniform : (k, 2, m) float64
            Points that are uniform on [0, 1]: which change it was, and the own part where it is not seen.
        """
        at = np.arange(len(sets))[:, None], sets
        log_ratio, hidden, small = rows.log_ratio[at], rows.own[at], rows.small[at]
        total = logsumexp(log_ratio, axis=-1)
        share = np.exp(log_ratio - np.where(np.isfinite(total), total, 0.0)[..., None])
        change = (uniform[None, :, 0, :, None] > share.cumsum(axis=-1)[:, None]).sum(axis=-1)
        change = np.minimum(change, share.shape[-1] - 1)
        moved = np.take_along_axis(hidden[:, None], change[..., None], axis=-1)[..., 0]
        ordered = np.sort(self._drawn, axis=0)
        unseen = ordered[(uniform[:, 1] * DRAWS).astype(int), sets[:, None, :]] - own[at][:, None]
        moved = np.where(np.isnan(moved), unseen, moved)
        changed = times(block(self._total_effects, sets)[:, None], moved)
        far = (np.abs(changed) >= self.floor.least[sets][:, None]).all(axis=-1).mean(axis=1)
        prior = np.isfinite(log_ratio) / np.maximum(np.isfinite(log_ratio).sum(axis=-1, keepdims=True), 1)
        again = 1 - (1 - (prior * small).sum(axis=-1)).prod(axis=-1)
        n = self.floor.redraws
        factor = far * sum(again**j for j in range(n + 1)) + (1 - far) * again**n
        error = np.sqrt(far * (1 - far) / uniform.shape[0]) / np.maximum(factor, 1e-9)
        return total.sum(axis=-1) + np.log(np.maximum(factor, 1e-300)), error
