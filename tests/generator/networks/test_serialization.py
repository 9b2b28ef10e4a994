import json

import pytest

from xadbench.generator import load_recipe
from xadbench.generator.networks.serialization import to_json
from xadbench.generator.simulation import build_network


@pytest.fixture(scope="module")
def network():
    return build_network(load_recipe("contextual-d10"), seed=1)


def test_the_text_holds_every_node_in_order_with_its_noise_and_terms(network):
    nodes = json.loads(to_json(network))["nodes"]
    assert [node["name"] for node in nodes] == list(network.nodes)
    for node in nodes:
        assert type(network.noise[node["name"]]).model_validate(node["noise"]) == network.noise[node["name"]]
        assert [term["parents"] for term in node["terms"]] == [
            list(term.parents) for term in network.terms[node["name"]]
        ]


def test_equal_networks_and_no_others_have_equal_texts(network):
    recipe = load_recipe("contextual-d10")
    assert to_json(build_network(recipe, seed=1)) == to_json(network)
    assert to_json(build_network(recipe, seed=2)) != to_json(network)
