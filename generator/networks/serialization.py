"""Networks as files: canonical JSON in and out, dagitty and GraphML out."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Annotated

import networkx as nx
from pydantic import BaseModel, Field

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.json_files import parse_json
from xadbench.datasets.common.limits import JSON_BYTES, read_limited
from xadbench.datasets.common.specs import build_spec

from .additive import AdditiveNoiseNetwork
from .noise import AnyNoise
from .terms import Term

FORMAT = "xadbench-network-1"


class Node(BaseModel, frozen=True, extra="forbid"):
    """A node of a network file: its name, its noise and what it takes from its parents."""

    name: Annotated[str, Field(min_length=1)]
    noise: AnyNoise
    terms: tuple[Term, ...] = ()


class NetworkFile(BaseModel, frozen=True, extra="forbid"):
    """What a network file holds; the order of the nodes is that of the columns."""

    format: Annotated[str, Field(pattern=f"^{FORMAT}$")] = FORMAT
    nodes: tuple[Node, ...] = Field(min_length=1)


def to_json(network: AdditiveNoiseNetwork) -> str:
    """Return the network as canonical JSON: equal networks give equal text, floats come back to the bit."""
    nodes = tuple(
        Node(name=name, noise=noise, terms=network.terms[name]) for name, noise in network.noise.items()
    )
    values = NetworkFile(nodes=nodes).model_dump(mode="json")
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def from_json(text: str, where: str = "network") -> AdditiveNoiseNetwork:
    """Return the network of a JSON text.

    Parameters
    ----------
    text
        As `to_json` writes it.
    where
        What the text is called in errors, such as its file.

    Raises
    ------
    InputError
        If it is no JSON, has an unknown key, a parameter out of range, a name twice, a parent that is no
        node, or a cycle; one line that names the place.
    """
    nodes = build_spec(parse_json(text, where), NetworkFile, where).nodes
    for name, count in Counter(node.name for node in nodes).most_common(1):
        if count > 1:
            raise InputError(f"{where}: node {name!r} comes twice")
    try:
        return AdditiveNoiseNetwork(
            (), {node.name: node.noise for node in nodes}, {node.name: node.terms for node in nodes}
        )
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def read_network(path: str | os.PathLike[str]) -> AdditiveNoiseNetwork:
    """Return the network of a JSON file; `InputError` as of `from_json`, or if it cannot be read."""
    try:
        text = read_limited(Path(path), JSON_BYTES).decode("utf-8")
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a NUL in the path
        raise InputError(f"{path}: cannot be read: {error}") from None
    return from_json(text, where=str(path))


def to_dagitty(network: AdditiveNoiseNetwork) -> str:
    """Return the structure in the language of dagitty, for its web page and its R package."""
    text: str = network.to_dagitty()
    return text


def to_graphml(network: AdditiveNoiseNetwork) -> str:
    """Return the structure as GraphML; nodes carry their noise and terms as JSON texts."""
    graph = nx.DiGraph(network.edges)
    for name, noise in network.noise.items():
        terms = [term.model_dump(mode="json") for term in network.terms[name]]
        graph.add_node(name, noise=noise.model_dump_json(), terms=json.dumps(terms))
    return "\n".join(nx.generate_graphml(graph))
