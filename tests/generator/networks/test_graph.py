import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xadbench.datasets import InputError
from xadbench.datasets.rng import stream
from xadbench.generator.networks.graph import max_edges, random_dag


@st.composite
def sizes(draw):
    n_nodes = draw(st.integers(1, 25))
    return n_nodes, draw(st.integers(0, max_edges(n_nodes)))


@given(sizes(), st.integers(0, 1000))
def test_a_dag_has_exactly_the_size_asked_for(size, seed):
    n_nodes, n_edges = size
    dag = random_dag(n_nodes, n_edges, stream(seed))
    assert list(dag) == [f"x{i}" for i in range(n_nodes)]
    assert dag.number_of_edges() == n_edges
    assert nx.is_directed_acyclic_graph(dag)


def test_every_dag_of_one_edge_is_as_likely():
    edges = [next(iter(random_dag(3, 1, stream(seed)).edges)) for seed in range(1200)]
    counts = [edges.count(edge) for edge in set(edges)]
    assert len(counts) == 6
    assert all(abs(count - 200) < 70 for count in counts)  # five standard deviations


@pytest.mark.parametrize(("n_nodes", "n_edges"), [(4, 7), (1, 1), (3, -1)])
def test_an_impossible_number_of_edges_is_refused(n_nodes, n_edges, rng):
    with pytest.raises(InputError, match=r"expected 0 to d\(d-1\)/2 = "):
        random_dag(n_nodes, n_edges, rng)


def test_a_dag_without_nodes_is_refused(rng):
    with pytest.raises(InputError, match="0 nodes; expected at least 1"):
        random_dag(0, 0, rng)
