import numpy as np
import pytest
from numpy.testing import assert_allclose
from pydantic import ValidationError
from scipy import stats

from xadbench.generator.networks.additive import AdditiveNoiseNetwork, Change
from xadbench.generator.networks.noise import NormalNoise, UniformNoise
from xadbench.generator.networks.terms import Term

UNIT = NormalNoise(mean=0, std=1)


@pytest.mark.parametrize(
    ("function", "expected"), [("linear", -6.0), ("saturating", -1.5), ("absolute", 6.0)]
)
def test_a_term_is_a_weighted_function(function, expected):
    assert Term(parents=("a",), function=function, weight=2.0).value({"a": np.float64(-3)}) == expected


def test_a_product_takes_two_parents():
    assert Term(parents=("a", "b"), function="product", weight=0.5).value({"a": 4.0, "b": 3.0}) == 6


@pytest.mark.parametrize(
    ("x", "expected"), [(0.0, -1.0), (0.5, 0.0), (1.0, 1.0), (-0.25, -0.5), (1.75, -0.5), (-3.0, 1.0)]
)
def test_a_periodic_term_is_a_triangle_wave_of_period_2(x, expected):
    assert Term(parents=("a",), function="periodic").value({"a": np.float64(x)}) == expected


@pytest.mark.parametrize(
    ("x", "y", "expected"), [(0.25, 0.5, 0.75), (0.75, 0.75, -0.5), (-0.75, -0.5, 0.75), (0.5, 0.5, -1.0)]
)
def test_a_wrapped_sum_is_less_the_nearest_even_number(x, y, expected):
    assert Term(parents=("a", "b"), function="wrapped").value({"a": np.float64(x), "b": y}) == expected


def test_of_uniform_parents_a_wrapped_sum_is_uniform_and_independent_of_each():
    uniform = UniformNoise(low=-1, width=2)
    x, y = AdditiveNoiseNetwork((), {"x": uniform, "y": uniform}).simulate(20_000, seed=3).T
    total = Term(parents=("x", "y"), function="wrapped").value({"x": x, "y": y})
    assert stats.kstest(total, stats.uniform(-1, 2).cdf).pvalue > 1e-4
    for parent in (x, y):
        cells, *_ = np.histogram2d(parent, total, bins=8, range=[[-1, 1], [-1, 1]])
        assert stats.chisquare(cells.ravel()).pvalue > 1e-4


@pytest.mark.parametrize(
    ("parents", "function"),
    [
        (("a",), "wrapped"),
        (("a", "b"), "periodic"),
        (("a", "b"), "linear"),
        (("a",), "product"),
        (("a", "a"), "product"),
        ((), "linear"),
    ],
)
def test_a_term_with_the_wrong_number_of_parents_is_refused(parents, function):
    with pytest.raises(ValidationError):
        Term(parents=parents, function=function)


@pytest.fixture
def network():
    terms = {
        "c": [
            Term(parents=("a", "b"), function="product", weight=0.5),
            Term(parents=("a",), function="saturating", weight=-2.0),
        ]
    }
    return AdditiveNoiseNetwork([("c", "d")], dict.fromkeys("abcd", UNIT), terms)


def test_a_node_is_its_noise_and_its_terms(network):
    noise, X = network.draw_noise(30, seed=1), network.simulate(30, seed=1)
    a, b = X[:, 0], X[:, 1]
    assert_allclose(X[:, 2], noise[:, 2] + 0.5 * a * b - 2 * a / (1 + abs(a)))
    assert_allclose(X[:, 3], noise[:, 3] + X[:, 2])
    assert_allclose(network.location("c", {"a": a, "b": b}), X[:, 2] - noise[:, 2])


def test_terms_make_edges(network):
    assert set(network.edges) == {("a", "c"), ("b", "c"), ("c", "d")}
    assert set(network.get_markov_blanket("a")) == {"b", "c"}


def test_other_terms_alter_the_node_and_its_descendants_only(network):
    soft = {"c": Change(terms=(Term(parents=("b",), weight=3.0),))}
    differs = (network.simulate(30) != network.simulate(30, soft=soft)).any(axis=0)
    assert differs.tolist() == [False, False, True, True]


def test_pgmpys_do_drops_the_terms_of_the_cut_edges(network):
    assert network.do("c").terms == {"a": (), "b": (), "c": (), "d": (Term(parents=("c",)),)}
