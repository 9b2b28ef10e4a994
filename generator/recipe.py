"""Typed recipes, and the tables that they make."""

import math
import os
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

from xadbench import __version__
from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError, unknown
from xadbench.datasets.common.paths import Name
from xadbench.datasets.common.specs import build_spec, read_spec
from xadbench.datasets.rng import stream
from xadbench.datasets.table import LabelledTable

from .anomalies.insertion import assign, count_anomalies, label, plant
from .anomalies.registry import AnyAnomaly, Calibrated, Population, Source, check_kinds
from .draws import BLOCK_ROWS, check_seed, integer, uniform
from .networks.graph import check_edges, random_dag
from .networks.noise import Noise
from .networks.noise_priors import PAPER_PRIORS, AnyPrior, NoisePrior
from .networks.terms import Function, Term

if TYPE_CHECKING:
    from .networks.additive import AdditiveNoiseNetwork

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
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


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
    name = os.fspath(name_or_path)
    if name.endswith((".yaml", ".yml")):
        return read_spec(Path(name), Recipe)
    if name not in recipe_names():
        raise InputError(f"{unknown('recipe', name, recipe_names())}; or give a path that ends in .yaml")
    return read_spec(RECIPES / f"{name}.yaml", Recipe)


def with_rows(recipe: Recipe, n_rows: int) -> Recipe:
    """Return the recipe with another number of rows; `InputError` if they are too few for its anomalies."""
    return build_spec(recipe.model_dump() | {"rows": n_rows}, Recipe, where=f"recipe {recipe.name}")


def generate(recipe: Recipe, seed: int = 0) -> LabelledTable:
    """Simulate a table with known culprits.

    Graph, noise parameters, rows, positions and every anomaly kind have random streams of their own, which do
    not depend on the recipe: recipes that differ in the anomalies alone share their clean rows. The content
    does not depend on NumPy's version, threads or the machine.

    A long table consists of blocks of 8,192 rows; see `generate_blocks`.

    Parameters
    ----------
    recipe
        What to make; see `load_recipe`.
    seed
        Which of the recipe's tables, at least 0.

    Returns
    -------
    LabelledTable
        `recipe.rows` rows with mask and clean twin. The provenance holds the whole recipe and the seed.

    Raises
    ------
    InputError
        If `seed` is not an integer of at least 0.
    """
    return LabelledTable.concatenate(list(generate_blocks(recipe, seed)))


def generate_blocks(recipe: Recipe, seed: int = 0) -> Iterator[LabelledTable]:
    """Yield the table of `generate` in blocks of 8,192 rows, one at a time in memory.

    What the anomaly kinds need to know of the clean rows (extremes, means and standard deviations,
    covariances, values to take over) they take from the first block: that is all rows of all shipped recipes.
    """
    streams = partial(stream, check_seed(seed), "generate")
    recipe, calibration = _resolved(recipe, seed)
    network = build_network(recipe, seed)
    count = count_anomalies(recipe.anomaly_ratio, recipe.rows, len(recipe.anomalies))
    shares = assign(recipe.rows, count, len(recipe.anomalies), streams("positions"))
    provenance = {
        "generator": "generate",
        "xadbench": __version__,
        "recipe": recipe.model_dump(mode="json"),
        "seed": int(seed),
    }
    if calibration:
        provenance["calibration"] = calibration
    for number, source in enumerate(_sources(network, recipe.rows, seed)):
        first = number * BLOCK_ROWS
        own = [rows[(rows >= first) & (rows < first + BLOCK_ROWS)] - first for rows in shares]
        planted = plant(source, recipe.anomalies, own, streams, number)
        names = tuple(network.nodes)
        yield label(planted, source.rows, recipe.anomalies, provenance, names, first_row=first)


def _sources(network: "AdditiveNoiseNetwork", n_rows: int, seed: int) -> Iterator[Source]:
    """Yield the clean rows block by block; what they are like is told by the first one."""
    population = None
    for block, first in enumerate(range(0, n_rows, BLOCK_ROWS)):
        noise = network.draw_noise(min(BLOCK_ROWS, n_rows - first), seed, first_block=block)
        clean = network.propagate(noise)
        population = population or Population(clean)
        yield Source(clean, partial(_redraw, network, seed, block), network, noise, seed, population)


def _redraw(
    network: "AdditiveNoiseNetwork", seed: int, block: int, strength: float, n_rows: int
) -> FloatArray:
    """Return rows (n, d) of the network with every parameter multiplied by `strength`."""
    scaled = network.scaled(strength)
    return scaled.propagate(scaled.draw_noise(n_rows, seed, purpose="cluster", first_block=block))


def build_network(recipe: Recipe, seed: int = 0) -> "AdditiveNoiseNetwork":
    """Return the network that `generate` simulates with that recipe and seed."""
    from .networks.additive import AdditiveNoiseNetwork  # noqa: PLC0415  # pgmpy takes four seconds

    dag = random_dag(recipe.graph.nodes, recipe.graph.edges, stream(check_seed(seed), "generate", "graph"))
    parents = {node: sorted(dag.predecessors(node), key=list(dag).index) for node in dag}
    noise = {
        node: _draw_noise(
            recipe.noise if own or recipe.root_noise is None else recipe.root_noise,
            stream(seed, "generate", "noise", node),
        )
        for node, own in parents.items()
    }
    terms = {
        node: recipe.graph.terms(own, stream(seed, "generate", "terms", node))
        for node, own in parents.items()
    }
    return AdditiveNoiseNetwork((), noise, terms)


def _resolved(recipe: Recipe, seed: int) -> tuple[Recipe, list[dict[str, Any]]]:
    """Return the recipe with numbers for strengths that are given as goals, and how well they meet these."""
    if not any(isinstance(getattr(kind, "strength", None), Calibrated) for kind in recipe.anomalies):
        return recipe, []
    from .anomalies.calibration import resolve  # noqa: PLC0415  # which calls generate

    resolved, found = resolve(recipe, seed)
    return resolved, [one._asdict() for one in found]


def _draw_noise(priors: Sequence[NoisePrior], rng: np.random.Generator) -> Noise:
    return priors[integer(0, len(priors) - 1, rng)].draw(rng)
