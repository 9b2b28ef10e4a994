"""The network and the table that a recipe without goals makes."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from xadbench import __version__
from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.limits import check_memory, memory_bytes
from xadbench.datasets.rng import stream
from xadbench.datasets.table import LabelledTable

from .anomalies.insertion import assign, count_anomalies, label, plant
from .anomalies.registry import Population, Source
from .draws import BLOCK_ROWS, check_seed, integer, permutation
from .networks.graph import random_dag
from .networks.noise import Noise
from .networks.noise_priors import NoisePrior
from .networks.terms import Term
from .recipe import Recipe

if TYPE_CHECKING:
    from .networks.additive import AdditiveNoiseNetwork

BYTES_OF_POSITION = 24  # a random number, its place in their order, and the sort's own
SHARED_SEED = 0  # of the network and the affected sets that the tables of a published recipe have in common


def simulate(
    recipe: Recipe, seed: int = 0, provenance: Mapping[str, Any] | None = None
) -> Iterator[LabelledTable]:
    """Yield the table of a recipe in blocks of 8,192 rows, one at a time in memory.

    What the anomaly kinds need to know of the clean rows (extremes, means and standard deviations,
    covariances) they take from the first block: that is all rows of all shipped recipes.

    Parameters
    ----------
    recipe
        Whose strengths are numbers; see `generation.generate` for those that are goals.
    seed
        Which of the recipe's tables, at least 0.
    provenance
        What else the table's provenance holds.

    Raises
    ------
    InputError
        If the anomalies' positions, which are drawn for the whole table, do not fit into memory.
    """
    check_memory(
        BYTES_OF_POSITION * recipe.rows,
        f"{recipe.rows} rows, whose positions are drawn at once at {BYTES_OF_POSITION} bytes each,",
        f"ask for at most {(memory_bytes() or 0) // BYTES_OF_POSITION} rows (--rows), and for more tables "
        "by other seeds (--seed)",
    )
    published = recipe.protocol == "published"

    def streams(*path: str) -> np.random.Generator:
        is_shared = published and "affected" in path
        return stream(SHARED_SEED if is_shared else check_seed(seed), "generate", *path)

    network = network_of(recipe, seed)
    count = count_anomalies(recipe.anomaly_ratio, recipe.rows, len(recipe.anomalies))
    shares = assign(recipe.rows, count, len(recipe.anomalies), streams("positions"))
    made = {
        "generator": "generate",
        "xadbench": __version__,
        "recipe": recipe.model_dump(mode="json"),
        "seed": int(seed),
        **(provenance or {}),
    }
    for number, source in enumerate(_sources(network, recipe.rows, seed)):
        first = number * BLOCK_ROWS
        own = [rows[(rows >= first) & (rows < first + BLOCK_ROWS)] - first for rows in shares]
        planted = plant(source, recipe.anomalies, own, streams, number, contaminated=published)
        names = tuple(network.nodes)
        yield label(planted, source.rows, recipe.anomalies, made, names, first_row=first)


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


def network_of(recipe: Recipe, seed: int = 0) -> "AdditiveNoiseNetwork":
    """Return what `build_network` does; not to be changed, since the last one is kept for the next call.

    So a table's calibration, its rows and its oracle have one network. It depends neither on the anomalies
    nor on the number of rows.
    """
    return _last_network(recipe.model_copy(update={"name": "", "rows": 0, "anomalies": ()}), check_seed(seed))


@lru_cache(maxsize=1)
def _last_network(recipe: Recipe, seed: int) -> "AdditiveNoiseNetwork":
    return build_network(recipe, seed)


def build_network(recipe: Recipe, seed: int = 0) -> "AdditiveNoiseNetwork":
    """Return the network that `generate` simulates with that recipe and seed."""
    seed = SHARED_SEED if recipe.protocol == "published" else check_seed(seed)
    from .networks.additive import AdditiveNoiseNetwork  # noqa: PLC0415  # pgmpy takes four seconds

    graph = recipe.graph
    dag = random_dag(graph.related, graph.edges, stream(seed, "generate", "graph"))
    columns = np.arange(graph.nodes)
    if graph.related < graph.nodes:
        columns = permutation(graph.nodes, stream(seed, "generate", "columns"))
    names = dict(zip(dag, (f"x{column}" for column in columns), strict=False))
    regime = None if graph.regimes is None else f"x{columns[-1]}"
    noise, terms = dict[str, Noise](), dict[str, tuple[Term, ...]]()
    parents = {names[node]: [names[parent] for parent in dag.predecessors(node)] for node in dag}
    for node in (f"x{column}" for column in range(graph.nodes)):
        own = sorted(parents.get(node, ()), key=_column)
        priors = recipe.noise if own or recipe.root_noise is None else recipe.root_noise
        noise[node] = _draw_noise(priors, stream(seed, "generate", "noise", node))
        rng = stream(seed, "generate", "terms", node)
        terms[node] = graph.terms(own, rng, regime) if node in parents else ()
    if regime and graph.regimes:
        noise[regime] = graph.regimes
    return AdditiveNoiseNetwork((), noise, terms)


def _column(node: str) -> int:
    return int(node[1:])


def _draw_noise(priors: Sequence[NoisePrior], rng: np.random.Generator) -> Noise:
    return priors[integer(0, len(priors) - 1, rng)].draw(rng)
