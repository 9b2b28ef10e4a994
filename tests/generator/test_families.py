"""What the families of recipes promise of their normal rows: what a linear model sees of them."""

import numpy as np
import pytest

from xadbench.datasets import content_hash
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.specs import build_spec
from xadbench.generator import generate, load_recipe
from xadbench.generator.recipe import Graph
from xadbench.generator.simulation import build_network

FAMILIES = ("nonlinear", "interaction", "clusters", "noisy")
SIZES = (10, 30, 100)
SEEDS = range(3)


def rows_of(name, seed, n=5000):
    network = build_network(load_recipe(name), seed)
    return network, network.simulate(n, seed)


def linear_r2(X):
    """Return the R² of each column given all others, by least squares, (d,)."""
    unexplained = 1 / np.diag(np.linalg.inv(np.cov(X.T)))
    return 1 - unexplained / X.var(axis=0)


def r2_given_parents(network, X):
    """Return the share of each column's variance that its parents explain, (d,)."""
    noise = np.array([own.moments()[1] for own in network.noise.values()])
    return 1 - noise**2 / X.var(axis=0)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("d", SIZES)
def test_every_family_comes_in_three_sizes_with_kinds_that_leave_the_margins(family, d):
    recipe = load_recipe(f"{family}-d{d}")
    assert recipe.graph.nodes == d
    mechanism = [] if family == "interaction" else ["mechanism"]
    assert [kind.kind for kind in recipe.anomalies] == ["dependency", "swap", *mechanism]
    assert {kind.affected.per for kind in recipe.anomalies} == {"row"}


@pytest.mark.parametrize("family", ["nonlinear", "interaction"])
@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_linear_model_of_all_other_features_leaves_twice_what_parents_leave_or_more(family, d, seed):
    network, X = rows_of(f"{family}-d{d}", seed)
    inner = np.array([bool(own) for own in network.terms.values()])
    of_parents = r2_given_parents(network, X)[inner]
    assert np.median(of_parents) > 0.8
    assert np.median((1 - linear_r2(X)[inner]) / (1 - of_parents)) > 2


@pytest.mark.parametrize("d", SIZES)
def test_nonlinear_recipes_have_every_shape_of_function_and_noise(d):
    networks = [build_network(load_recipe(f"nonlinear-d{d}"), seed) for seed in SEEDS]
    functions = {term.function for one in networks for own in one.terms.values() for term in own}
    assert functions >= {"saturating", "absolute", "periodic", "product"}
    assert {own.family for one in networks for own in one.noise.values()} >= {"normal", "gamma", "student"}


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("seed", SEEDS)
def test_interactions_leave_no_correlation_of_a_child_with_its_parents(d, seed):
    network, X = rows_of(f"interaction-d{d}", seed, n=20_000)
    column = dict(zip(network.nodes, X.T, strict=True))
    correlations = [abs(np.corrcoef(column[u], column[v])[0, 1]) for u, v in network.edges]
    assert np.median(correlations) < (0.1 if d == 10 else 0.02)  # with ten nodes, many share parents


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("seed", SEEDS)
def test_each_regime_has_a_linear_network_of_its_own(d, seed):
    network, X = rows_of(f"clusters-d{d}", seed, n=20_000)
    (regime,) = (i for i, own in enumerate(network.noise.values()) if own.family == "modes")
    name = list(network.nodes)[regime]
    assert set(network.successors(name)) == set(network.nodes) - {name}
    modes = np.rint(X[:, regime] / network.noise[name].distance)
    assert np.unique(modes).tolist() == [-1, 0, 1]
    apart = [np.corrcoef(np.delete(X[modes == mode], regime, axis=1).T) for mode in (-1, 1)]
    assert np.abs(apart[0] - apart[1]).max() > 0.8


@pytest.mark.parametrize("d", SIZES)
def test_noisy_features_are_half_unrelated_and_half_weakly_determined(d):
    medians = []
    for seed in range(10):
        network, X = rows_of(f"noisy-d{d}", seed)
        unrelated = np.array([network.degree(node) == 0 for node in network.nodes])
        assert unrelated.sum() >= d // 2
        found = linear_r2(X)
        assert found[unrelated].max() < 0.1
        medians.append(np.median(found[~unrelated]))
    assert 0.5 < np.mean(medians) < 0.8


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nonlinear-d10", "4199f945a6132507548676dfbcccc5fae7e6e72a276a85c50df94163ebd64fc8"),
        ("nonlinear-d30", "7d612076ddc4bdec911dd1a43824e9308f777292e9fbeddb556b16d8f717ad31"),
        ("nonlinear-d100", "3c0cf2743097b603162ce78179335a60c4f5ad3c51cf3911bc21436727a59040"),
        ("interaction-d10", "acde15deac21803ab5c9124e1ef8dc196e377282ce3160664cedd7ebdb118f5c"),
        ("interaction-d30", "4ab1f5295f6764d7b3c8c69e2933ab9582d0f7bdfd20fc2f6329459d1d0ad49f"),
        ("interaction-d100", "72f0cf4b9908fb278ae9764e962547ef1b014b2d5d8d72ee810183a338567c3e"),
        ("clusters-d10", "e9197f787d40e9ad90f98e18ec1b35f901efe55ceca46470eb09b8ace212e726"),
        ("clusters-d30", "a241055b69cfe091410a4aa54e0827a8133e45796544e7aa42abd5ba15de4042"),
        ("clusters-d100", "2dc0bbb2d180355887fa509c35a16b8064b7c4232d1bc0a6929500fdd3217314"),
        ("noisy-d10", "b6ae549157d6be815edfb73ddefb3cb31743b01052970833f5230c3ffbcba7ef"),
        ("noisy-d30", "7149d5887d4a3b6bcfc7ec976d9ad753e4625f244fdc370c8d26cfd40ca1c648"),
        ("noisy-d100", "9669cb2d4100d021f842688e0514cdf2ac937b36db11a1e25e6fe381ef558525"),
    ],
)
def test_the_content_is_what_it_was_when_the_recipe_was_written(name, expected):
    assert content_hash(generate(name)) == expected


def test_unrelated_nodes_are_at_random_positions_and_have_no_terms():
    positions = set()
    for seed in range(10):
        network = build_network(load_recipe("noisy-d10"), seed)
        positions |= {i for i, node in enumerate(network.nodes) if network.degree(node) == 0}
    assert positions == set(range(10))


def test_functions_of_two_parents_have_one_of_one_parent_for_an_odd_one():
    graph = Graph(nodes=4, edges=3, functions=["wrapped"])
    rng = np.random.default_rng(0)
    assert [term.function for term in graph.terms(["x0", "x1", "x2"], rng)] == ["wrapped", "periodic"]


def test_with_regimes_functions_of_two_parents_take_the_regime():
    graph = Graph(nodes=4, edges=3, functions=["product"], regimes={"modes": 2, "distance": 1, "width": 0.5})
    terms = graph.terms(["x0", "x1"], np.random.default_rng(0), "x3")
    assert [term.parents for term in terms] == [("x0", "x3"), ("x1", "x3"), ("x3",)]


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        ({"nodes": 4, "edges": 0, "unrelated": 3}, ["unrelated", "3", "at most 2"]),
        ({"nodes": 4, "edges": 0, "unrelated": -1}, ["unrelated", "-1"]),
        ({"nodes": 6, "edges": 4, "unrelated": 3}, ["edges", "4 edges among 3 nodes"]),
        (
            {"nodes": 4, "edges": 4, "regimes": {"modes": 2, "distance": 1, "width": 0.5}},
            ["edges", "4 edges among 3 nodes"],
        ),
        (
            {"nodes": 4, "edges": 0, "regimes": {"modes": 2, "distance": 1, "width": 2}},
            ["regimes", "width"],
        ),
        ({"nodes": 4, "edges": 0, "functions": ["sine"]}, ["functions", "'sine'", "periodic"]),
    ],
)
def test_a_bad_graph_gives_one_line(values, facts):
    with pytest.raises(InputError) as caught:
        build_spec(values, Graph, where="mine")
    assert all(fact in str(caught.value) for fact in ["mine", *facts])
    assert "\n" not in str(caught.value)
