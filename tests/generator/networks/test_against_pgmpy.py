"""Our networks beside pgmpy's own: the same distribution, the same likelihood."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pgmpy.factors.continuous import LinearGaussianCPD
from pgmpy.models import LinearGaussianBayesianNetwork
from scipy.stats import ks_2samp

from xadbench.generator.networks.additive import AdditiveNoiseNetwork
from xadbench.generator.networks.noise import ExponentialNoise, GammaNoise, NormalNoise, UniformNoise
from xadbench.generator.networks.terms import Term
from xadbench.generator.oracle.density import node_log_density

TERMS = {
    "c": [Term(parents=("a",), weight=0.8), Term(parents=("b",), weight=-1.1)],
    "d": [Term(parents=("c",), weight=0.5)],
}


@pytest.fixture(scope="module")
def ours():
    noise = {name: NormalNoise(mean=i, std=1 + 0.3 * i) for i, name in enumerate("abcd")}
    return AdditiveNoiseNetwork((), noise, TERMS)


@pytest.fixture(scope="module")
def linear_gaussian(ours):
    model = LinearGaussianBayesianNetwork(list(ours.edges))
    for node, noise in ours.noise.items():
        parents = [term.parents[0] for term in ours.terms[node]]
        weights = [term.weight for term in ours.terms[node]]
        model.add_cpds(LinearGaussianCPD(node, [noise.mean, *weights], noise.std, parents))
    return model


def test_the_log_likelihood_is_pgmpys(ours, linear_gaussian):
    X = ours.simulate(50)
    theirs = linear_gaussian.log_likelihood(pd.DataFrame(X, columns=list(ours.nodes)))
    assert_allclose(node_log_density(ours, X).sum(), theirs, rtol=1e-9)


def test_the_distribution_is_pgmpys(ours, linear_gaussian):
    mean, cov = linear_gaussian.to_joint_gaussian()
    order = [list(ours.nodes).index(name) for name in nx.topological_sort(linear_gaussian)]
    X = ours.simulate(100_000, seed=3)[:, order]
    assert_allclose(X.mean(axis=0), mean, atol=0.05)
    assert_allclose(np.cov(X.T), cov, atol=0.1)


@pytest.fixture
def mixed():
    """Every noise family, at a root and below; every mechanism."""
    noise = {
        "u": UniformNoise(low=-2, width=5),
        "n": NormalNoise(mean=1, std=2),
        "e": ExponentialNoise(scale=1.5),
        "g": GammaNoise(shape=2.5, scale=0.7),
        "linear": UniformNoise(low=1, width=2),
        "saturating": NormalNoise(mean=-1, std=0.2),
        "absolute": ExponentialNoise(scale=0.8),
        "product": GammaNoise(shape=0.6, scale=1.2),
    }
    terms = {
        "linear": [Term(parents=("u",), weight=0.8), Term(parents=("g",), weight=-1.1)],
        "saturating": [Term(parents=("n",), function="saturating", weight=4.0)],
        "absolute": [Term(parents=("n",), function="absolute", weight=-0.9)],
        "product": [
            Term(parents=("u", "e"), function="product", weight=0.7),
            Term(parents=("linear",), weight=0.5),
        ],
    }
    return AdditiveNoiseNetwork((), noise, terms)


def test_every_noise_and_mechanism_has_the_distribution_of_pgmpys_functional_network(
    mixed, functional_network
):
    n_rows = 4_000
    X = mixed.simulate(n_rows, seed=1)
    theirs = functional_network(mixed, n_rows).simulate(n_rows, seed=1)[list(mixed.nodes)].to_numpy()
    assert (ks_2samp(X, theirs).pvalue > 1e-4).all()
    assert_allclose(np.corrcoef(X.T), np.corrcoef(theirs.T), atol=0.1)
