"""Typed recipes of simulated tables."""

import math
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

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
from .anomalies.registry import AnyAnomaly, check_kinds
from .draws import integer, uniform
from .networks.graph import check_edges
from .networks.noise_priors import PAPER_PRIORS, AnyPrior
from .networks.terms import Function, Term

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
    nodes, edges
        How many.
    weights
        From which the weight of each term is drawn; 1 without.
    functions
        From which the function of each edge is drawn; "product" takes two edges at once, and is linear for
        the last one of an odd number.
    """

    nodes: int = Field(ge=2, le=MOST_NODES)
    edges: int = Field(ge=0)
    weights: Weights | None = None
    functions: tuple[Function, ...] = Field(default=("linear",), min_length=1)

    @field_validator("edges")
    @classmethod
    def _fits(cls, edges: int, info: ValidationInfo) -> int:
        return check_edges(info.data["nodes"], edges) if "nodes" in info.data else edges

    def terms(self, parents: Sequence[str], rng: np.random.Generator) -> tuple[Term, ...]:
        """Return the terms of a node with these parents."""
        left, terms = list(parents), []
        while left:
            function = self.functions[integer(0, len(self.functions) - 1, rng)]
            if function == "product" and len(left) == 1:
                function = "linear"
            taken = tuple(left.pop(0) for _ in range(2 if function == "product" else 1))
            weight = 1.0 if self.weights is None else self.weights.draw(len(parents), rng)
            terms.append(Term(parents=taken, function=function, weight=weight))
        return tuple(terms)


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
        return kinds


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
