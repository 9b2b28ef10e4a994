import json

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from xadbench.datasets import InputError
from xadbench.generator import load_recipe
from xadbench.generator.networks.serialization import from_json, read_network, to_dagitty, to_graphml, to_json
from xadbench.generator.simulation import build_network

GOOD = {
    "format": "xadbench-network-1",
    "nodes": [
        {"name": "a", "noise": {"family": "normal", "mean": 0, "std": 1}},
        {
            "name": "b",
            "noise": {"family": "gamma", "shape": 2, "scale": 1},
            "terms": [{"parents": ["a"], "function": "absolute", "weight": -0.3}],
        },
    ],
}


@pytest.fixture(scope="module")
def network():
    return build_network(load_recipe("contextual-d10"), seed=1)


def test_a_network_comes_back_to_the_bit(network, tmp_path):
    (tmp_path / "n.json").write_text(to_json(network))
    back = read_network(tmp_path / "n.json")
    assert (back.noise, back.terms) == (network.noise, network.terms)
    assert to_json(back) == to_json(network)
    assert_array_equal(back.simulate(20), network.simulate(20))


def test_a_file_written_by_hand_is_read():
    back = from_json(json.dumps(GOOD))
    assert set(back.edges) == {("a", "b")}
    assert np.isfinite(back.simulate(5)).all()


def test_dagitty_and_graphml_hold_the_structure(network):
    assert all(f"{parent} -> {child}" in to_dagitty(network) for parent, child in network.edges)
    graph = nx.parse_graphml(to_graphml(network))
    assert set(graph.edges) == set(network.edges)
    assert json.loads(graph.nodes["x0"]["noise"])["family"] == "normal"


def changed(path, value):
    values = json.loads(json.dumps(GOOD))
    *way, last = path
    place = values
    for step in way:
        place = place[step]
    place[last] = value
    return json.dumps(values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        (changed(["format"], "other"), "format: "),
        (changed(["nodes", 1, "terms", 0, "parents"], ["c"]), "unknown node 'c'; known: a, b"),
        (changed(["nodes", 0, "terms"], [{"parents": ["b"]}]), "the edges form a cycle"),
        (changed(["nodes", 0, "noise", "std"], -1), r"nodes\.0\.noise.*std: .*greater than 0"),
        (changed(["nodes", 0, "noise", "family"], "cauchy"), r"nodes\.0\.noise"),
        (changed(["nodes", 1, "name"], "a"), "node 'a' comes twice"),
        (changed(["nodes", 1, "terms", 0, "colour"], 1), r"nodes\.1\.terms\.0\.colour: unknown key"),
        (changed(["nodes", 1, "terms", 0, "function"], "product"), "takes 2 different parent"),
    ],
)
def test_a_wrong_file_gives_one_line(text, message, tmp_path):
    (tmp_path / "n.json").write_text(text)
    with pytest.raises(InputError, match=rf"n\.json: .*{message}") as error:
        read_network(tmp_path / "n.json")
    assert "\n" not in str(error.value)
