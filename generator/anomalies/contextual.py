"""Kinds whose rows look normal feature by feature: what is wrong is how the features go together.

Values are published data, so they hold no NumPy sum, matrix product, logarithm or exponential.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.errors import InputError
from xadbench.generator.draws import integer
from xadbench.generator.networks.noise import Noise
from xadbench.generator.networks.terms import Function, Term

from .base import AnomalyKind, CellKind, Source, Strength, number

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork

NodeChange = Literal["noise", "weights", "function"]
# Never equal to what they replace but at single values of the parents, such as 0.
INSTEAD: dict[Function, Function] = {
    "linear": "saturating",
    "absolute": "saturating",
    "periodic": "saturating",
    "saturating": "linear",
    "product": "linear",
    "wrapped": "periodic",
}


class Copying(CellKind):
    """Every affected value is taken over from a donor: margins intact."""

    copies: ClassVar[bool] = True

    def values(
        self,
        cells: FloatArray,
        affected: IntArray,
        source: Source,
        rng: np.random.Generator,  # noqa: ARG002  # the order of the donors is random
    ) -> FloatArray:
        """Return the affected features of the next donors."""
        assert source.donors is not None  # noqa: S101  # whoever plants gives them
        return source.donors.take(len(cells))[:, affected]


class Dependency(Copying):
    """Every affected value is that of another row, each of its own: margins intact, dependence broken."""

    kind: Literal["dependency"] = "dependency"


class Swap(Copying):
    """The affected values are those of one other row, taken together: they agree among themselves."""

    joint: ClassVar[bool] = True
    kind: Literal["swap"] = "swap"


class Mechanism(AnomalyKind):
    """Affected nodes follow another mechanism, and the change spreads to their descendants.

    All other nodes keep the row's own noise, so the clean twin is what the row would have been. The
    ground-truth features are the affected nodes; what moved is more.

    Parameters
    ----------
    changes
        What changes, one of them at random for each node. "noise": its own part is drawn again, `strength`
        times as far from its mean. "weights": of all its terms, the opposite. "function": linear, absolute
        and periodic terms saturate; saturating ones become linear, products linear in their first parent,
        and wrapped sums periodic in it. A root has noise alone to change.
    strength
        Of "noise".
    """

    joint: ClassVar[bool] = True
    spreads: ClassVar[bool] = True
    kind: Literal["mechanism"] = "mechanism"
    changes: tuple[NodeChange, ...] = Field(default=("noise", "weights", "function"), min_length=1)
    strength: Strength = 5.0

    def change(
        self, index: IntArray, affected: IntArray, source: Source, rng: np.random.Generator
    ) -> FloatArray:
        """Return the source's rows `index` (k,) as anomalies, (k, d); `InputError` without a network."""
        if source.network is None or source.noise is None:
            raise InputError("anomaly kind 'mechanism' needs a network; real rows come without one")
        rows = [self._row(source.network, source.noise[[i]], affected, rng) for i in index]
        return np.concatenate(rows)

    def _row(
        self, network: "AdditiveNoiseNetwork", noise: FloatArray, affected: IntArray, rng: np.random.Generator
    ) -> FloatArray:
        """Return the row, (1, d), of own parts `noise`, (1, d), after interventions."""
        noise, terms, names = noise.copy(), {}, list(network.nodes)
        for column in affected:
            own = network.terms_of(names[column])
            choices = self.changes if own else ("noise",)
            what = choices[integer(0, len(choices) - 1, rng)]
            if what == "noise":
                noise[0, column] = self._other_noise(network.noise[names[column]], rng)
            else:
                terms[names[column]] = tuple(map(opposite if what == "weights" else other_function, own))
        return network.propagate(noise, terms)

    def _other_noise(self, noise: Noise, rng: np.random.Generator) -> float:
        mean, _ = noise.moments()
        return mean + number(self.strength) * float(noise.draw(rng, 1)[0] - mean)


def opposite(term: Term) -> Term:
    """Return the term with the opposite weight."""
    return term.model_copy(update={"weight": -term.weight})


def other_function(term: Term) -> Term:
    """Return the term with another function, that of its first parent alone."""
    return Term(parents=term.parents[:1], function=INSTEAD[term.function], weight=term.weight)
