import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest

from xadbench.datasets import InputError
from xadbench.datasets.rng import stream
from xadbench.generator import generate
from xadbench.generator.anomalies.contextual import INSTEAD
from xadbench.generator.anomalies.registry import (
    Additive,
    Dependency,
    Donors,
    Local,
    Mechanism,
    Multiplicative,
    Source,
    Swap,
)
from xadbench.generator.networks.terms import FUNCTIONS
from xadbench.generator.recipe import Recipe
from xadbench.generator.simulation import build_network

AFFECTED = np.array([0, 2])
ROWS = np.arange(3000)


@pytest.fixture
def source():
    """Three features, the first and the last of which are nearly the same; donors of the same kind."""
    rows, donors = (stream(0, name).standard_normal((3000, 3)) for name in ("source", "donors"))
    for z in (rows, donors):
        z[:, 2] = z[:, 0] + 0.1 * z[:, 2]
    return Source(rows, lambda strength, n: np.full((n, 3), strength), donors=Donors(donors))


@pytest.mark.parametrize("kind", [Dependency(), Swap()])
def test_margins_stay_as_they_are(kind, source):
    after = kind.change(ROWS, AFFECTED, source, stream(1))
    for column in AFFECTED:
        assert_array_equal(np.sort(after[:, column]), np.sort(source.donors.rows[:, column]))
        assert kstest(after[:, column], source.rows[:, column]).pvalue > 1e-4


@pytest.mark.parametrize(("kind", "is_kept"), [("dependency", False), ("swap", True)])
def test_dependency_breaks_what_swap_keeps(kind, is_kept):
    two_alike = {"nodes": 2, "edges": 1, "weights": {"low": 3, "high": 3}}
    table = generate(
        recipe(rows=4000, graph=two_alike, anomalies=[{"kind": kind, "affected": {"size": [2, 2]}}])
    )
    correlation = abs(np.corrcoef(table.X[table.y].T)[0, 1])
    assert correlation > 0.9 if is_kept else correlation < 0.15


@pytest.mark.parametrize("kind", ["dependency", "swap"])
def test_no_value_taken_over_is_in_the_table_twice(kind):
    table = generate(recipe(anomalies=[{"kind": kind, "affected": {"size": [1, 3]}}]), seed=2)
    for column in table.X.T:
        assert len(np.unique(column)) == table.n_rows


def test_donors_are_taken_in_turn_and_again_when_all_are_used_up():
    donors = Donors(np.arange(3.0)[:, None])
    assert donors.take(2).ravel().tolist() == [0, 1]
    assert donors.take(3).ravel().tolist() == [2, 0, 1]


def test_another_value_differs_enough_and_comes_from_between_two_donors():
    donors = Donors(np.array([[0.0], [1.0], [5.0], [9.0]]))
    found = donors.others(np.full((200, 1), 1.0), np.array([2.0]), stream(0))
    assert found.min() >= 5
    assert found.max() <= 9
    assert len(np.unique(found)) == 200
    assert np.isnan(donors.others(np.full((1, 1), 1.0), np.array([7.0]), stream(0))).all()


def test_swap_takes_the_values_of_one_row(source):
    after = Swap().change(ROWS[:50], AFFECTED, source, stream(1))
    pairs = {tuple(pair) for pair in source.donors.rows[:, AFFECTED]}
    assert all(tuple(pair) in pairs for pair in after[:, AFFECTED])


@pytest.mark.parametrize("model", [Additive, Multiplicative])
def test_a_strength_scales_the_change(model, source):
    weak, full, strong = (
        model(strength=strength).change(ROWS, AFFECTED, source, stream(1)) - source.rows
        for strength in (0.5, 1.0, 2.0)
    )
    assert_allclose(strong, 2 * full, atol=1e-9)
    assert_allclose(weak, full / 2, atol=1e-9)


def recipe(**changes):
    values = {
        "name": "r",
        "rows": 400,
        "anomaly_ratio": 0.2,
        "graph": {"nodes": 6, "edges": 9, "weights": {"low": 0.7, "high": 1.3}},
        "root_noise": [{"family": "normal", "mean": [0, 0], "std": [1, 1]}],
        "noise": [{"family": "normal", "mean": [0, 0], "std": [0.2, 0.2]}],
        "anomalies": [{"kind": "mechanism", "affected": {"size": [1, 2], "per": "row"}}],
    }
    return Recipe.model_validate(values | changes)


def test_weights_are_drawn_from_their_range_and_shared_among_parents():
    terms = build_network(recipe()).terms.values()
    scaled = [abs(term.weight) * np.sqrt(len(own)) for own in terms for term in own]
    assert len(scaled) == 9
    assert min(scaled) >= 0.7
    assert max(scaled) <= 1.3
    assert len({term.weight > 0 for own in terms for term in own}) == 2


def test_functions_are_drawn_from_their_list():
    graph = {"nodes": 30, "edges": 200, "functions": ["linear", "saturating", "absolute", "product"]}
    network = build_network(recipe(graph=graph))
    assert {term.function for own in network.terms.values() for term in own} == set(graph["functions"])
    assert network.number_of_edges() == 200


def test_roots_have_a_noise_of_their_own():
    network = build_network(recipe())
    assert {network.noise[node].std for node in network.get_roots()} == {1.0}
    assert {own.std for node, own in network.noise.items() if network.terms[node]} == {0.2}


@pytest.mark.parametrize("what", ["noise", "weights", "function"])
def test_a_mechanism_moves_its_nodes_and_their_descendants_only(what):
    kind = {"kind": "mechanism", "changes": [what], "affected": {"size": [1, 1], "per": "row"}}
    table = generate(recipe(anomalies=[kind]), seed=3)
    network = build_network(recipe(), 3)
    assert (table.moved >= table.mask).all()
    assert (table.moved.sum(axis=1) > table.mask.sum(axis=1)).any()
    for moved, mask in zip(table.moved[table.y], table.mask[table.y], strict=True):
        own = {name for name, true_feature in zip(table.feature_names, mask, strict=True) if true_feature}
        reached = own.union(*(nx.descendants(network, node) for node in own))
        assert {n for n, m in zip(table.feature_names, moved, strict=True) if m} <= reached


def test_a_mechanism_keeps_the_rest_of_the_rows_own_noise():
    table = generate(recipe(), seed=3)
    network = build_network(recipe(), 3)
    assert_array_equal(table.clean, network.simulate(400, 3))
    columns = dict(zip(table.feature_names, table.X.T, strict=True))
    before = dict(zip(table.feature_names, table.clean.T, strict=True))
    for j, node in enumerate(network.nodes):
        untouched = ~table.mask[:, j]
        own = table.X[:, j] - network.location(node, columns)
        assert_allclose(
            own[untouched], (table.clean[:, j] - network.location(node, before))[untouched], atol=1e-9
        )


def test_a_mechanism_needs_a_network(source):
    with pytest.raises(InputError, match="needs a network; real rows come without one"):
        Mechanism().change(ROWS[:1], AFFECTED, source, stream(0))


def test_rows_may_have_affected_sets_of_their_own():
    table = generate(recipe(anomalies=[{"kind": "swap", "affected": {"size": [1, 3], "per": "row"}}]))
    assert len({tuple(mask) for mask in table.mask[table.y]}) > 10
    assert set(table.mask[table.y].sum(axis=1)) == {1, 2, 3}


def test_an_unresolved_strength_is_a_fault(source):
    with pytest.raises(TypeError, match="must be resolved"):
        Local(strength={"oracle_auc": 0.9}).change(ROWS[:1], AFFECTED, source, stream(0))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ({"nodes": 6, "edges": 9, "weights": {"low": 2, "high": 1}}, "high is less than low"),
        ({"nodes": 6, "edges": 9, "functions": ["cubic"]}, "functions"),
        ({"nodes": 6, "edges": 9, "functions": []}, "functions"),
    ],
)
def test_a_wrong_graph_is_refused(graph, message):
    with pytest.raises(ValueError, match=message):
        recipe(graph=graph)


def test_every_function_has_another_one_that_takes_its_place():
    assert set(INSTEAD) == set(FUNCTIONS)
    assert all(other != function for function, other in INSTEAD.items())
