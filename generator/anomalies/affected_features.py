"""Which features an anomaly affects: how many, chosen how, for a whole kind or for each row."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, Field, PositiveInt, model_validator

from xadbench.datasets.common.arrays import IntArray
from xadbench.datasets.common.errors import InputError
from xadbench.generator.draws import integer, subset

Neighbours = Callable[[int], IntArray]


def _ordered(size: tuple[int, int]) -> tuple[int, int]:
    if size[0] > size[1]:
        raise InputError("the range ends before it begins; expected [from, to]")
    return size


class AffectedSets(BaseModel, frozen=True, extra="forbid"):
    """How the affected features of a kind are drawn.

    Parameters
    ----------
    size
        Least and largest number of affected features; each number between is as likely.
    fraction
        Instead of `size`: the share of all features, in (0, 1].
        Without either, the paper's: from the kind's least number up to d//2 - 1, with at least two choices.
    per
        "row": every row has its own. "kind": one set for all rows of a kind in a table, as in the paper; a
        fixed ranking of the columns, the same for every row, then names many of them.
    along
        "any": every set of that size is as likely. "graph": a node and members of its Markov blanket, so
        fewer where the blanket is smaller.
    """

    size: Annotated[tuple[PositiveInt, PositiveInt], AfterValidator(_ordered)] | None = None
    fraction: float | None = Field(default=None, gt=0, le=1)
    per: Literal["kind", "row"] = "row"
    along: Literal["any", "graph"] = "any"

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if self.size is not None and self.fraction is not None:
            raise ValueError("size and fraction exclude each other; expected one of them")
        return self

    def groups(self, rows: IntArray) -> list[IntArray]:
        """Return the rows (n,) in groups that share an affected set."""
        if not len(rows):
            return []
        return list(rows[:, None]) if self.per == "row" else [rows]

    def draw(
        self, n_features: int, least: int, rng: np.random.Generator, neighbours: Neighbours | None = None
    ) -> IntArray:
        """Return affected features: distinct, ascending, (m,).

        Parameters
        ----------
        n_features
            Number of features d.
        least
            The kind's least number of affected features.
        rng
            Where the choice comes from.
        neighbours
            The Markov blanket of a feature; needed for `along="graph"`.

        Raises
        ------
        InputError
            If the choice goes along a graph and there is none.
        """
        sizes = self.sizes(n_features, least)
        size = sizes[0] if self.fraction is not None else integer(sizes[0], sizes[-1], rng)
        if self.along == "any":
            return subset(n_features, size, rng)
        if neighbours is None:
            raise InputError("affected features along a graph need a network; expected along: any")
        first = integer(0, n_features - 1, rng)
        blanket = neighbours(first)
        others = blanket[subset(len(blanket), min(size - 1, len(blanket)), rng)]
        return np.sort(np.append(others, first))

    def sizes(self, n_features: int, least: int) -> range:
        """Return the sizes of sets that are drawn, each as likely; a graph may make them smaller."""
        if self.fraction is not None:
            size = max(least, round(self.fraction * n_features))
            return range(size, size + 1)
        low, high = self.size or (least, max(n_features // 2 - 1, least + 1))
        low, high = max(low, least), max(high, least)
        return range(min(low, n_features), min(high, n_features) + 1)
