import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from xadbench.datasets import InputError
from xadbench.generator.networks import additive as network_module
from xadbench.generator.networks.additive import AdditiveNoiseNetwork, Change
from xadbench.generator.networks.noise import ExponentialNoise, GammaNoise, NormalNoise, UniformNoise
from xadbench.generator.oracle.density import node_log_density

UNIT = NormalNoise(mean=0, std=1)


@pytest.fixture
def chain():
    """x2 <- x1 <- x0 with edges stored child first, so that storage order would not propagate."""
    noise = {"x0": UNIT, "x1": NormalNoise(mean=1, std=2), "x2": ExponentialNoise(scale=2)}
    return AdditiveNoiseNetwork([("x1", "x2"), ("x0", "x1")], noise)


@pytest.fixture
def diamond():
    """d <- b, c <- a, and e alone; the columns are not in topological order."""
    noise = {"d": UNIT, "b": UNIT, "e": GammaNoise(shape=2, scale=1), "a": UniformNoise(low=0, width=2)}
    return AdditiveNoiseNetwork([("b", "d"), ("c", "d"), ("a", "b"), ("a", "c")], {**noise, "c": UNIT})


def own_noise(network, n_rows, seed):
    """What every node adds itself: the same network without edges."""
    return AdditiveNoiseNetwork([], network.noise).simulate(n_rows, seed)


def test_values_add_up_along_a_chain(chain):
    assert_allclose(chain.simulate(50, seed=3)[:, 2], own_noise(chain, 50, seed=3).sum(axis=1))


def test_an_intervention_moves_what_lies_downstream(chain):
    before, after = chain.simulate(50), chain.simulate(50, do={"x0": 100.0})
    assert (after[:, 0] == 100).all()
    assert_allclose(after[:, 1:] - before[:, 1:], np.repeat(100 - before[:, :1], 2, axis=1))


def test_an_intervention_cuts_a_node_from_its_parents(chain):
    before, after = chain.simulate(50), chain.simulate(50, do={"x1": -1.0})
    assert_array_equal(before[:, 0], after[:, 0])
    assert (after[:, 1] == -1).all()
    assert_allclose(after[:, 2], -1 + own_noise(chain, 50, seed=0)[:, 2])


@pytest.mark.parametrize(("node", "moved"), [("a", "dbac"), ("b", "db"), ("d", "d"), ("e", "e")])
def test_replaced_noise_alters_the_node_and_its_descendants_only(diamond, node, moved):
    differs = diamond.simulate(40) != diamond.simulate(
        40, soft={node: Change(noise=ExponentialNoise(scale=9))}
    )
    columns = [name for name, changed in zip(diamond.nodes, differs.T, strict=True) if changed.any()]
    assert columns == list(moved)


def test_another_noise_at_birth_alters_descendants_only(diamond):
    other = AdditiveNoiseNetwork(diamond.edges, {**diamond.noise, "b": ExponentialNoise(scale=9)})
    differs = diamond.simulate(40) != other.simulate(40)
    assert_array_equal(differs.any(axis=0), [True, True, False, False, False])


def test_fewer_rows_are_the_first_of_more_over_chunk_borders(chain, monkeypatch):
    monkeypatch.setattr(network_module, "BLOCK_ROWS", 10)
    assert [len(block) for block in chain.blocks(25)] == [10, 10, 5]
    assert_array_equal(chain.simulate(13), chain.simulate(25)[:13])


def test_chunks_are_independent(chain, monkeypatch):
    monkeypatch.setattr(network_module, "BLOCK_ROWS", 10)
    first, second = chain.blocks(20)
    assert not np.isin(first, second).any()


def test_another_purpose_and_seed_give_other_rows(chain):
    rows = chain.simulate(20)
    assert not np.isin(rows, chain.simulate(20, purpose="cluster")).any()
    assert not np.isin(rows, chain.simulate(20, seed=1)).any()


def test_the_order_of_edges_does_not_change_a_bit(diamond):
    other = AdditiveNoiseNetwork(reversed(list(diamond.edges)), diamond.noise)
    assert_array_equal(diamond.simulate(40), other.simulate(40))


def test_log_density_is_that_of_the_noise_given_the_parents(chain):
    X = chain.simulate(30)
    expected = [
        stats.norm(0, 1).logpdf(X[:, 0]),
        stats.norm(X[:, 0] + 1, 2).logpdf(X[:, 1]),
        stats.expon(X[:, 1], 2).logpdf(X[:, 2]),
    ]
    assert_allclose(node_log_density(chain, X), np.stack(expected, axis=1), rtol=1e-9)


def test_moments_of_a_child_are_the_sums_of_those_of_its_ancestors(chain):
    x2 = chain.simulate(50_000)[:, 2]
    assert_allclose(x2.mean(), 0 + 1 + 2, atol=0.1)
    assert_allclose(x2.var(), 1 + 4 + 4, rtol=0.05)


def test_a_copy_and_pgmpys_do_keep_the_noise(diamond):
    assert_array_equal(diamond.copy().simulate(20), diamond.simulate(20))
    cut = diamond.do("d")
    assert isinstance(cut, AdditiveNoiseNetwork)
    assert cut.noise == diamond.noise
    assert cut.get_parents("d") == []


def test_scaling_reaches_every_node(diamond):
    assert diamond.scaled(3).noise == {node: own.scaled(3) for node, own in diamond.noise.items()}
    assert set(diamond.scaled(3).edges) == set(diamond.edges)


def test_pgmpy_reads_the_structure(diamond):
    assert not diamond.is_dconnected("b", "c", observed=["a"])
    assert diamond.is_dconnected("b", "c", observed=["a", "d"])


def test_a_cycle_is_refused():
    with pytest.raises(InputError, match="the edges form a cycle"):
        AdditiveNoiseNetwork([("a", "b"), ("b", "a")], {"a": UNIT, "b": UNIT})


def test_an_edge_to_a_node_without_noise_is_refused():
    with pytest.raises(InputError, match=r"unknown node 'c'.*; known: a, b"):
        AdditiveNoiseNetwork([("a", "c")], {"a": UNIT, "b": UNIT})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_rows": 0}, "n_rows is 0; expected at least 1"),
        ({"n_rows": 5, "seed": -1}, "seed is -1; expected an integer of at least 0"),
        ({"n_rows": 5, "do": {"y": 1.0}}, "unknown node 'y'.*; known: x0, x1, x2"),
        ({"n_rows": 5, "soft": {"y": Change(noise=UNIT)}}, "unknown node 'y'.*; known: x0, x1, x2"),
    ],
)
def test_bad_arguments_are_refused(chain, arguments, message):
    with pytest.raises(InputError, match=message):
        chain.simulate(**arguments)


def test_the_package_is_imported_without_pgmpy():
    code = "import sys, xadbench.generator, xadbench.generator.generation; print('pgmpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # our own code
    assert done.stdout.strip() == "False"
