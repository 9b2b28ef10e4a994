"""The posterior over affected sets agrees with brute force: enumeration, and integration by simulation."""

import itertools
import math
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from xadbench.datasets import InputError
from xadbench.datasets.rng import stream
from xadbench.generator.anomalies.affected_features import AffectedSets
from xadbench.generator.anomalies.contextual import Dependency, Mechanism, Swap
from xadbench.generator.anomalies.insertion import plant
from xadbench.generator.anomalies.paper import Additive, Cluster, Global, Local, Multiplicative
from xadbench.generator.anomalies.registry import Population, Source
from xadbench.generator.networks.additive import AdditiveNoiseNetwork
from xadbench.generator.networks.noise import ExponentialNoise, NormalNoise
from xadbench.generator.networks.terms import Term
from xadbench.generator.oracle.bayes import BayesModel
from xadbench.generator.oracle.candidates import CandidateSearch
from xadbench.generator.oracle.set_prior import DrawnSets

SETS = AffectedSets(size=(1, 2))
D = 4


def chain(std=0.5, family=NormalNoise):
    noise = {"a": NormalNoise(mean=1, std=1)}
    for name in "bcd":
        noise[name] = NormalNoise(mean=0, std=std) if family is NormalNoise else family(scale=std)
    parents = {"b": "a", "c": "b", "d": "ac"}
    terms = {child: [Term(parents=(one,), weight=0.8) for one in own] for child, own in parents.items()}
    return AdditiveNoiseNetwork((), noise, terms)


NETWORK = chain()
CLEAN = NETWORK.simulate(2000, 1)
POPULATION = Population(CLEAN)


def covariance_of(network):
    effect = np.eye(D)
    weights = np.array([[0, 0, 0, 0], [0.8, 0, 0, 0], [0, 0.8, 0, 0], [0.8, 0, 0.8, 0]])
    effect = np.linalg.inv(np.eye(D) - weights)
    means, stds = np.array([own.moments() for own in network.noise.values()]).T
    return effect @ means, effect @ np.diag(stds**2) @ effect.T


def sets_of(sizes=(1, 2), d=D):
    return [s for m in sizes for s in itertools.combinations(range(d), m)]


def ways(affected):
    return math.comb(D, len(affected))


def marginals(weights, d=D):
    """Probability of each feature, from log weights by set."""
    sets, logs = zip(*weights.items(), strict=True)
    shares = np.exp(np.array(logs) - np.logaddexp.reduce(logs))
    return np.array([sum(p for s, p in zip(sets, shares, strict=True) if i in s) for i in range(d)])


def rest_density(x, affected):
    mean, covariance = covariance_of(NETWORK)
    rest = np.setdiff1d(np.arange(D), affected)
    return multivariate_normal(mean[rest], covariance[np.ix_(rest, rest)]).logpdf(x[rest])


def new_values_density(kind, x, affected):
    """The log-density of new values that do not depend on the clean ones, without a floor."""
    mean, covariance = covariance_of(NETWORK)
    own = list(affected)
    if kind.kind == "dependency":
        return norm(mean[own], np.sqrt(np.diag(covariance)[own])).logpdf(x[own]).sum()
    if kind.kind == "swap":
        return multivariate_normal(mean[own], covariance[np.ix_(own, own)]).logpdf(x[own])
    if kind.kind == "local":
        spread = kind.strength * np.cov(CLEAN.T)[np.ix_(own, own)]
        return multivariate_normal(CLEAN.mean(axis=0)[own], spread).logpdf(x[own])
    low, high = kind.strength * CLEAN.min(axis=0), kind.strength * CLEAN.max(axis=0)
    inside = ((x[own] >= low[own]) & (x[own] <= high[own])).all()
    return -np.log(high - low)[own].sum() if inside else -np.inf


CHANGES = np.array([[0, 0, 0, 0], [0, 1.5, 0, 0], [0.9, 0, -1.2, 0]])
ROWS = np.concatenate([CLEAN[3 * i : 3 * i + 3] + change for i, change in enumerate(CHANGES)])


@pytest.mark.parametrize("kind", [Dependency, Swap, Local, Global])
def test_of_values_that_are_overwritten_the_posterior_is_that_of_enumeration(kind):
    kind = kind(affected=SETS, least_change=0)
    found = BayesModel.of(NETWORK, [kind], POPULATION).posterior(ROWS)
    sizes = (2,) if kind.kind == "local" else (1, 2)
    for x, own in zip(ROWS, found.marginal, strict=True):
        weights = {
            s: rest_density(x, s)
            + new_values_density(kind, x, s)
            - math.log(len(sizes) * math.comb(D, len(s)))
            for s in sets_of(sizes)
        }
        assert_allclose(own, marginals(weights), atol=1e-9)


def test_the_odds_of_an_anomaly_are_those_of_its_densities():
    kind = Dependency(affected=SETS, least_change=0)
    found = BayesModel.of(NETWORK, [kind], POPULATION).posterior(ROWS)
    for x, odds in zip(ROWS, found.log_odds, strict=True):
        anomalous = [
            rest_density(x, s) + new_values_density(kind, x, s) - math.log(2 * ways(s)) for s in sets_of()
        ]
        assert_allclose(odds, np.logaddexp.reduce(anomalous) - rest_density(x, []), atol=1e-9)


@pytest.mark.parametrize(
    "kind",
    [
        Dependency(affected=AffectedSets(size=(1, 1)), least_change=0.8),
        Additive(affected=AffectedSets(size=(1, 1)), least_change=0.8, strength=0.3),
        Multiplicative(affected=AffectedSets(size=(1, 1)), least_change=0.8, strength=0.8),
        Global(affected=AffectedSets(size=(1, 1)), least_change=0.8),
        Swap(affected=AffectedSets(size=(1, 1)), least_change=0.8),
    ],
    ids=lambda kind: kind.kind,
)
def test_simulated_anomalies_are_affected_as_often_as_their_posterior_says(kind):
    """Calibration against the generator itself, redraws and stretching included."""
    n = 6000
    clean = NETWORK.simulate(n, 7)
    source = Source(clean, redraw=None, network=NETWORK, population=POPULATION)
    planted = plant(source, [kind], [np.arange(n)], lambda *path: stream(3, *path))
    found = BayesModel.of(NETWORK, [kind], POPULATION).posterior(planted.X).marginal
    for low, high in itertools.pairwise([0, 0.1, 0.3, 0.5, 0.7, 0.9, 1]):
        chosen = (found >= low) & (found < high)
        if chosen.sum() > 200:
            error = found[chosen].std() + 0.5
            gap = found[chosen].mean() - planted.affected[chosen].mean()
            assert abs(gap) < 4 * error / np.sqrt(chosen.sum()), (low, gap)


def overwritten_density(value, clean, margin, least):
    """The density of a value of the margin, drawn again once if too near the clean one, then stretched."""

    def integrand(c):
        near = margin.cdf(c + least) - margin.cdf(c - least)
        change = value - c
        drawn = margin.pdf(value) * (1 + near) * (abs(change) >= least)
        side = margin.cdf(c + least) - margin.cdf(c) if change > 0 else margin.cdf(c) - margin.cdf(c - least)
        stretched = near * side / least * (least <= abs(change) <= 2 * least)
        return clean.pdf(c) * (drawn + stretched)

    ends = [value + step * least for step in (-2, -1, 0, 1, 2)]
    return quad(integrand, clean.mean() - 6, clean.mean() + 6, points=ends, limit=400)[0]


def test_a_least_change_and_what_is_stretched_to_it_are_integrated():
    kind = Dependency(affected=AffectedSets(size=(1, 1)), least_change=0.6)
    enumeration = BayesModel.of(NETWORK, [kind], POPULATION).enumeration
    found = replace(enumeration, n_points=4096).of(ROWS)
    mean, covariance = covariance_of(NETWORK)
    precision, std = np.linalg.inv(covariance), np.sqrt(np.diag(covariance))
    for x, odds in zip(ROWS, found.log_odds, strict=True):
        total = 0.0
        for i in range(D):
            centre = x[i] - (precision @ (x - mean))[i] / precision[i, i]
            clean, margin = norm(centre, precision[i, i] ** -0.5), norm(mean[i], std[i])
            own = overwritten_density(x[i], clean, margin, 0.6 * CLEAN[:, i].std())
            total += math.exp(rest_density(x, [i]) - rest_density(x, [])) * own / D
        assert_allclose(odds, math.log(total), atol=0.01)


def shifted_density(value, clean, scale):
    """The density of a shifted value, of a clean one with this distribution; drawn again where too near."""
    shift, least = norm(0.4 * 3 * scale, 0.4 * scale), 0.2 * scale
    far = 1 - np.diff(shift.cdf([-least, least]))[0]

    def integrand(c):
        return clean.pdf(c) * shift.pdf(value - c) * (abs(value - c) >= least) / far

    centre, ends = clean.mean(), [value - least, value + least]
    return quad(integrand, centre - 6, centre + 6, points=[*ends, centre], limit=200)[0]


def test_an_added_shift_is_integrated_over_the_clean_values():
    kind = Additive(affected=AffectedSets(size=(1, 1)), least_change=0.2, strength=0.4)
    found = BayesModel.of(NETWORK, [kind], POPULATION).posterior(ROWS)
    mean, covariance = covariance_of(NETWORK)
    precision, scale = np.linalg.inv(covariance), CLEAN.std(axis=0)
    for x, own in zip(ROWS, found.marginal, strict=True):
        weights = {}
        for (i,) in sets_of((1,)):
            centre = x[i] - (precision @ (x - mean))[i] / precision[i, i]
            total = shifted_density(x[i], norm(centre, precision[i, i] ** -0.5), scale[i])
            weights[i,] = rest_density(x, [i]) + math.log(max(total, 1e-300))
        assert_allclose(own, marginals(weights), atol=0.03)


def test_of_a_changed_mechanism_only_the_nodes_in_the_set_lose_their_factor():
    kind = Mechanism(affected=SETS, least_change=0, strength=4.0, changes=("noise", "weights"))
    found = BayesModel.of(NETWORK, [kind], POPULATION).posterior(ROWS)
    location = lambda x: np.array([0, 0.8 * x[0], 0.8 * x[1], 0.8 * x[0] + 0.8 * x[2]])  # noqa: E731
    means, stds = np.array([own.moments() for own in NETWORK.noise.values()]).T
    for x, own in zip(ROWS, found.marginal, strict=True):
        where = location(x)
        normal = norm(means + where, stds).logpdf(x)
        wide = norm(means + where, 4 * stds).logpdf(x)
        flipped = norm(means - where, stds).logpdf(x)
        changed = np.logaddexp(wide, flipped) - math.log(2)
        changed[0] = wide[0]  # a root has noise alone
        weights = {s: (changed - normal)[list(s)].sum() - math.log(2 * ways(s)) for s in sets_of()}
        assert_allclose(own, marginals(weights), atol=1e-9)


def test_with_other_noise_the_clean_values_are_integrated_by_weighted_points():
    network = chain(std=0.6, family=ExponentialNoise)
    clean = network.simulate(2000, 1)
    kind = Global(affected=AffectedSets(size=(1, 1)), least_change=0, strength=1.2)
    rows = clean[:4] + np.array([0, 0, 1.5, 0])
    found = BayesModel.of(network, [kind], Population(clean)).posterior(rows)
    low, high = 1.2 * clean.min(axis=0), 1.2 * clean.max(axis=0)
    for x, own, error in zip(rows, found.marginal, found.error, strict=True):
        weights = {}
        for i in range(D):
            grid = np.linspace(x[i] - 8, x[i] + 8, 40_001)
            moved = np.tile(x, (len(grid), 1))
            moved[:, i] = grid
            b, c, d = (moved[:, j] for j in (1, 2, 3))
            parts = [b - 0.8 * moved[:, 0], c - 0.8 * b, d - 0.8 * moved[:, 0] - 0.8 * c]
            log_p = norm(1, 1).logpdf(moved[:, 0]) - sum(parts) / 0.6 - 3 * math.log(0.6)
            p = np.where(np.min(parts, axis=0) >= 0, np.exp(log_p), 0.0)
            inside = low[i] <= x[i] <= high[i]
            total = p.sum() * (grid[1] - grid[0]) * inside / (high[i] - low[i])
            weights[i,] = math.log(max(total, 1e-300))
        assert_allclose(own, marginals(weights), atol=max(5 * error, 0.02))


@pytest.mark.parametrize("size", [(1, 3), (2, 2), (1, 4)])
def test_sets_along_a_graph_have_the_frequencies_with_which_they_are_drawn(size):
    kind = Dependency(affected=AffectedSets(size=size, along="graph"))
    prior = DrawnSets.of(kind, NETWORK)
    source, rng, n = Source(CLEAN, redraw=None, network=NETWORK), stream(0, "sets"), 20_000
    drawn = [tuple(kind.draw_affected(D, rng, source.neighbours)) for _ in range(n)]
    total = 0.0
    for m in prior.sizes:
        for one, log in zip(prior.sets(m), prior.log(prior.sets(m)), strict=True):
            share = drawn.count(tuple(one)) / n
            assert abs(share - math.exp(log)) < 0.015
            total += math.exp(log)
    assert_allclose(total, 1)


def test_candidates_find_what_enumeration_does():
    kinds = [Dependency(affected=SETS), Mechanism(affected=SETS), Additive(affected=SETS, strength=0.3)]
    model = BayesModel.of(NETWORK, kinds, POPULATION)
    few = CandidateSearch(model.enumeration, largest=2, n_candidates=D).of(ROWS)
    assert_allclose(few.marginal, model.posterior(ROWS).marginal, atol=1e-9)
    assert_allclose(few.left_out, 0, atol=1e-9)
    fewer = CandidateSearch(model.enumeration, largest=2, n_candidates=2).of(ROWS)
    assert (fewer.left_out[:3] > 0.05).all()  # normal rows, where every set is possible
    assert fewer.is_unsure[:3].all()


def test_a_row_says_where_its_estimate_is_too_wide():
    network = chain(std=0.3, family=ExponentialNoise)
    clean = network.simulate(500, 1)
    enumeration = BayesModel.of(network, [Dependency(affected=SETS)], Population(clean)).enumeration
    rows = clean[:40] + np.array([0, 1, 0, 0])
    few, many = (replace(enumeration, n_points=n).of(rows) for n in (8, 1024))
    assert few.is_unsure.any()
    assert few.error.mean() > 2 * many.error.mean()
    assert (np.abs(few.marginal - many.marginal).max(axis=1) > 0.1).mean() < 0.5


def test_a_network_that_is_no_dag_or_lacks_a_density_is_refused():
    cyclic = chain()
    nx.DiGraph.add_edge(cyclic, "d", "a")  # pgmpy's own refuses it
    with pytest.raises(InputError, match="cycle"):
        BayesModel.of(cyclic, [Dependency()], POPULATION)
    broken = chain()
    broken.nodes["b"]["noise"] = None
    with pytest.raises(InputError, match="'b' of the network has no density"):
        BayesModel.of(broken, [Dependency()], POPULATION)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Global(affected=AffectedSets(size=(1, 24))), "'global' affects up to 24 of 50 features"),
        (Local(strength={"oracle_auc": 0.9}), "'local'.*expected a number"),
    ],
)
def test_kinds_whose_posterior_cannot_be_computed_are_named_with_what_can_be_answered(kind, said):
    names = [f"x{i}" for i in range(50)]
    network = AdditiveNoiseNetwork((), {name: NormalNoise(mean=0, std=1) for name in names})
    with pytest.raises(InputError, match=said):
        BayesModel.of(network, [kind], Population(network.simulate(100)))


def test_cluster_rows_are_told_by_the_scaled_network():
    kinds = [Cluster(strength=3.0), Dependency(affected=SETS)]
    model = BayesModel.of(NETWORK, kinds, POPULATION)
    far = NETWORK.scaled(3.0).simulate(50, 2)
    found = model.posterior(far)
    assert found.by_size[:, :, D].mean() > 0.8
    assert model.posterior(CLEAN[:50]).by_size[:, :, D].mean() < 0.2
