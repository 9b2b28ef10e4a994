"""Typed recipes, and the tables that they make."""

import os
from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import AfterValidator, BaseModel, Field, NonNegativeInt, ValidationInfo, field_validator

from xadbench import __version__
from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.errors import InputError, unknown
from xadbench.datasets.specs import read_spec
from xadbench.datasets.streams import stream
from xadbench.datasets.table import LabelledTable
from xadbench.generator.anomalies import AnyAnomaly, Source, check_kinds
from xadbench.generator.draws import check_seed, integer
from xadbench.generator.graph import check_edges, random_dag
from xadbench.generator.noise import Noise
from xadbench.generator.plant import count_anomalies, label, plant
from xadbench.generator.priors import PAPER_PRIORS, AnyPrior, NoisePrior

if TYPE_CHECKING:
    from xadbench.generator.network import AdditiveNoiseNetwork

RECIPES = files("xadbench.generator") / "recipes"


class Graph(BaseModel, frozen=True, extra="forbid"):
    """The size of the random DAG; every node is a feature."""

    nodes: int = Field(ge=2)
    edges: int = Field(ge=0)

    @field_validator("edges")
    @classmethod
    def _fits(cls, edges: int, info: ValidationInfo) -> int:
        return check_edges(info.data["nodes"], edges) if "nodes" in info.data else edges


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
    seeds
        The seeds of the published tables.
    """

    name: str = Field(min_length=1)
    rows: int = Field(ge=2)
    anomaly_ratio: float = Field(gt=0, lt=1)
    graph: Graph
    anomalies: Annotated[tuple[AnyAnomaly, ...], AfterValidator(check_kinds)]
    noise: tuple[AnyPrior, ...] = Field(default=PAPER_PRIORS, min_length=1)
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
    >>> load_recipe("table2-d10-5").graph
    Graph(nodes=10, edges=4)
    """
    name = os.fspath(name_or_path)
    if name.endswith((".yaml", ".yml")):
        return read_spec(Path(name), Recipe)
    if name not in recipe_names():
        raise InputError(f"{unknown('recipe', name, recipe_names())}; or give a path that ends in .yaml")
    return read_spec(RECIPES / f"{name}.yaml", Recipe)


def generate(recipe: Recipe, seed: int = 0) -> LabelledTable:
    """Simulate a table with known culprits.

    Graph, noise parameters, rows, positions and every anomaly kind have random streams of their own, which do
    not depend on the recipe: recipes that differ in the anomalies alone share their clean rows. The content
    does not depend on NumPy's version, threads or the machine.

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
    streams = partial(stream, check_seed(seed), "generate")
    network = build_network(recipe, seed)
    clean = network.simulate(recipe.rows, seed)

    def redraw(strength: float, n: int) -> FloatArray:
        return network.scaled(strength).simulate(n, seed, purpose="cluster")

    count = count_anomalies(recipe.anomaly_ratio, recipe.rows, len(recipe.anomalies))
    planted = plant(Source(clean, redraw), recipe.anomalies, count, streams)
    provenance = {
        "generator": "generate",
        "xadbench": __version__,
        "recipe": recipe.model_dump(mode="json"),
        "seed": int(seed),
    }
    return label(planted, clean, recipe.anomalies, provenance, feature_names=tuple(network.nodes))


def build_network(recipe: Recipe, seed: int = 0) -> "AdditiveNoiseNetwork":
    """Return the network that `generate` simulates with that recipe and seed."""
    from xadbench.generator.network import AdditiveNoiseNetwork  # noqa: PLC0415  # pgmpy takes four seconds

    dag = random_dag(recipe.graph.nodes, recipe.graph.edges, stream(check_seed(seed), "generate", "graph"))
    noise = {node: _draw_noise(recipe.noise, stream(seed, "generate", "noise", node)) for node in dag}
    return AdditiveNoiseNetwork(dag.edges, noise)


def _draw_noise(priors: Sequence[NoisePrior], rng: np.random.Generator) -> Noise:
    return priors[integer(0, len(priors) - 1, rng)].draw(rng)
