"""Our networks beside pgmpy's own: the same distribution, the same likelihood."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pgmpy.factors.continuous import LinearGaussianCPD
from pgmpy.models import LinearGaussianBayesianNetwork

from xadbench.generator.network import AdditiveNoiseNetwork
from xadbench.generator.noise import NormalNoise
from xadbench.generator.structure import Term

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
    assert_allclose(ours.logpdf(X).sum(), theirs, rtol=1e-9)


def test_the_distribution_is_pgmpys(ours, linear_gaussian):
    mean, cov = linear_gaussian.to_joint_gaussian()
    order = [list(ours.nodes).index(name) for name in nx.topological_sort(linear_gaussian)]
    X = ours.simulate(100_000, seed=3)[:, order]
    assert_allclose(X.mean(axis=0), mean, atol=0.05)
    assert_allclose(np.cov(X.T), cov, atol=0.1)
