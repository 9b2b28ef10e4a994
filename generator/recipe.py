"""Typed recipes of simulated tables."""

import math
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    NonNegativeInt,
    PositiveFloat,
    ValidationInfo,
    field_validator,
)

from xadbench.datasets.common.errors import InputError, unknown
from xadbench.datasets.common.names import natural_order
from xadbench.datasets.common.paths import Name
from xadbench.datasets.common.specs import build_spec, read_spec

from .anomalies.insertion import count_anomalies
from .anomalies.published import as_published
from .anomalies.registry import AnyAnomaly, check_kinds
from .draws import BLOCK_ROWS, integer, uniform
from .networks.graph import check_edges
from .networks.noise import ModesNoise
from .networks.noise_priors import PAPER_PRIORS, AnyPrior
from .networks.terms import OF_ONE, Function, Term

MOST_ROWS, MOST_NODES = 10**10, 10**4
RECIPES = files("xadbench.generator") / "recipes"


class Weights(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Weights of a node's terms: ±Uniform(low, high) / sqrt(number of parents), the sign at random."""

    low: PositiveFloat
    high: PositiveFloat

    @field_validator("high")
    @classmethod
    def _ordered(cls, high: float, info: ValidationInfo) -> float:
        if high < info.data.get("low", high):
            raise ValueError("high is less than low")
        return high

    def draw(self, n_parents: int, rng: np.random.Generator) -> float:
        """Return the weight of one term of a node with that many parents."""
        sign = 1.0 if rng.random() < 0.5 else -1.0
        return sign * uniform((self.low, self.high), rng) / math.sqrt(n_parents)


class Graph(BaseModel, frozen=True, extra="forbid"):
    """The random DAG, every node of which is a feature, and what its edges do.

    Parameters
    ----------
    nodes
        How many, of all sorts.
    unrelated
        How many of them have no edges; at random positions.
    regimes
        The noise of one of them, whose modes are the regimes. Every other node but the unrelated has a linear
        term of it, and functions of two parents take it as their second one: a product gives an edge another
        weight in each regime. Default: there are no regimes.
    edges
        How many, among the other nodes.
    weights
        From which the weight of each term is drawn; 1 without.
    functions
        From which the function of each edge is drawn; "product" and "wrapped" take two edges at once, and are
        linear and periodic for the last one of an odd number.
    """

    nodes: int = Field(ge=2, le=MOST_NODES)
    unrelated: NonNegativeInt = 0
    regimes: ModesNoise | None = None
    edges: int = Field(ge=0)
    weights: Weights | None = None
    functions: tuple[Function, ...] = Field(default=("linear",), min_length=1)

    @field_validator("unrelated")
    @classmethod
    def _leaves_some(cls, unrelated: int, info: ValidationInfo) -> int:
        if unrelated > (most := info.data.get("nodes", math.inf) - 2):
            raise InputError(f"{unrelated} unrelated nodes; expected at most {most}, so that two are left")
        return unrelated

    @field_validator("edges")
    @classmethod
    def _fits(cls, edges: int, info: ValidationInfo) -> int:
        if not {"nodes", "unrelated", "regimes"} <= info.data.keys():
            return edges
        return check_edges(_n_related(**info.data), edges)

    @property
    def related(self) -> int:
        """The number of nodes that the edges are among: not the one of the regimes, nor the unrelated."""
        return _n_related(self.nodes, self.unrelated, self.regimes)

    def terms(
        self, parents: Sequence[str], rng: np.random.Generator, regime: str | None = None
    ) -> tuple[Term, ...]:
        """Return the terms of a node with these parents, and with the node of the regimes if there is one."""
        left, terms = list(parents), []
        while left:
            function = self.functions[integer(0, len(self.functions) - 1, rng)]
            taken = [left.pop(0)]
            if function in OF_ONE and (regime or left):
                # Of wrapped sums any partner: two nodes with the same sums would be correlated.
                partner = integer(0, len(left) - 1, rng) if function == "wrapped" and not regime else 0
                taken.append(regime or left.pop(partner))
            elif function in OF_ONE:
                function = OF_ONE[function]
            terms.append(Term(parents=tuple(taken), function=function, weight=self._weight(parents, rng)))
        if regime:
            terms.append(Term(parents=(regime,), weight=self._weight([regime], rng)))
        return tuple(terms)

    def _weight(self, parents: Sequence[str], rng: np.random.Generator) -> float:
        return 1.0 if self.weights is None else self.weights.draw(len(parents), rng)


def _n_related(nodes: int, unrelated: int, regimes: ModesNoise | None, **_: object) -> int:
    return nodes - unrelated - (regimes is not None)


class Recipe(BaseModel, frozen=True, extra="forbid"):
    """What a family of simulated tables is made of; a seed picks one of them.

    Parameters
    ----------
    name
        What the recipe is called.
    rows
        Number of rows, anomalies included.
    anomaly_ratio
        Share of the rows that are anomalous, between 0 and 1.
    protocol
        "published": the set-up of Vincent et al. 2025 where ours differs. All seeds have the same network and
        affected sets, those of seed 0; a kind has one affected set, of 1 (local: 2) to d//2 - 1 features, or
        of 1 (local: 3) where d is 4 or 5; any change will do; and a kind's statistics are of rows with the
        anomalies of the kinds before it. At most 8,192 rows. Default: ours.
    graph
        Number of nodes and edges of the network.
    anomalies
        The kinds, each at most once; a bare name in YAML means the paper's strengths.
    noise
        The noise families with the ranges of their parameters. Each node takes one of them at random.
    root_noise
        The same for nodes without parents; default: as `noise`.
    seeds
        The seeds of the published tables.
    """

    name: Name
    rows: int = Field(ge=2, le=MOST_ROWS)
    anomaly_ratio: float = Field(gt=0, lt=1)
    protocol: Literal["published"] | None = None
    graph: Graph
    anomalies: Annotated[tuple[AnyAnomaly, ...], AfterValidator(check_kinds)]
    noise: tuple[AnyPrior, ...] = Field(default=PAPER_PRIORS, min_length=1)
    root_noise: tuple[AnyPrior, ...] | None = Field(default=None, min_length=1)
    seeds: tuple[NonNegativeInt, ...] = Field(default=(0, 1, 2, 3, 4), min_length=1)

    @field_validator("anomalies")
    @classmethod
    def _one_row_each(cls, kinds: tuple[AnyAnomaly, ...], info: ValidationInfo) -> tuple[AnyAnomaly, ...]:
        if {"rows", "anomaly_ratio"} <= info.data.keys():
            count_anomalies(info.data["anomaly_ratio"], info.data["rows"], len(kinds))
        if info.data.get("protocol") and "graph" in info.data:
            return tuple(as_published(kind, info.data["graph"].nodes) for kind in kinds)
        return kinds

    @field_validator("protocol")
    @classmethod
    def _one_block(cls, protocol: str | None, info: ValidationInfo) -> str | None:
        if protocol and info.data.get("rows", 0) > BLOCK_ROWS:
            raise InputError(f"published has {info.data['rows']} rows; expected at most {BLOCK_ROWS}")
        return protocol


def recipe_names() -> tuple[str, ...]:
    """Return the names of the shipped recipes, sorted."""
    names = (entry.name for entry in RECIPES.iterdir())
    return tuple(natural_order(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def load_recipe(name_or_path: str | os.PathLike[str]) -> Recipe:
    """Return a recipe.

    Parameters
    ----------
    name_or_path
        The name of a shipped recipe, or the path of a file that ends in .yaml.

    Raises
    ------
    InputError
        If there is no such recipe, or the file is not one; one line that names file and key.

    Examples
    --------
    >>> load_recipe("table2-d10-5").graph.edges
    4
    """
    if not isinstance(name_or_path, str | os.PathLike):
        given = type(name_or_path).__name__  # type: ignore[unreachable]  # not every caller checks types
        raise InputError(f"recipe is of type {given}; expected a Recipe, a shipped name, or a path of .yaml")
    name = os.fspath(name_or_path)
    if name.endswith((".yaml", ".yml")):
        return read_spec(Path(name), Recipe)
    if name not in recipe_names():
        raise InputError(f"{unknown('recipe', name, recipe_names())}; or give a path that ends in .yaml")
    return read_spec(RECIPES / f"{name}.yaml", Recipe)


def with_rows(recipe: Recipe, n_rows: int) -> Recipe:
    """Return the recipe with another number of rows; `InputError` if they are too few for its anomalies."""
    return build_spec(recipe.model_dump() | {"rows": n_rows}, Recipe, where=f"recipe {recipe.name}")
