import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.rng import stream
from xadbench.evaluation import metrics
from xadbench.generator.draws import integer, subset, uniform
from xadbench.generator.networks.additive import AdditiveNoiseNetwork
from xadbench.generator.networks.graph import random_dag
from xadbench.generator.networks.noise import ExponentialNoise, GammaNoise, NormalNoise, UniformNoise
from xadbench.generator.oracle.density import along, from_own_parts, log_density, node_log_density, own_parts
from xadbench.generator.oracle.heuristic import Sequential, SingleDrop, Surprise
from xadbench.generator.oracle.network_density import NetworkDensity

EXPLAINERS = (Surprise, SingleDrop, Sequential)
NAMED = {explainer.__name__: explainer for explainer in EXPLAINERS}
EDGES = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")]
STD = {"a": 1.0, "b": 0.2, "c": 0.3, "d": 0.05, "e": 0.2}


@pytest.fixture(scope="module")
def network():
    """A linear network with normal noise of very different width."""
    return AdditiveNoiseNetwork(EDGES, {node: NormalNoise(mean=1, std=std) for node, std in STD.items()})


@pytest.fixture(scope="module")
def rows(network):
    return network.simulate(300)


@pytest.fixture
def bounded():
    """An exponential root, a uniform child of it, and a gamma child of both."""
    noise = {
        "a": ExponentialNoise(scale=1),
        "b": UniformNoise(low=0, width=1),
        "c": GammaNoise(shape=2, scale=0.1),
    }
    return AdditiveNoiseNetwork([("a", "b"), ("a", "c"), ("b", "c")], noise)


def conditional(network, X, i):
    """Mean and standard deviation of feature i given the others, from the joint normal distribution."""
    weights = np.array([[float((a, b) in set(network.edges)) for a in network] for b in network])
    unmixed = np.eye(len(network)) - weights
    precision = unmixed.T @ np.diag([1 / STD[node] ** 2 for node in network]) @ unmixed
    mean = np.linalg.solve(unmixed, np.ones(len(network)))
    others = np.delete(np.arange(len(network)), i)
    pull = (X - mean)[:, others] @ precision[i, others]
    return mean[i] - pull / precision[i, i], precision[i, i] ** -0.5


def explain(explainer, network, background, rows):
    return explainer(network).fit(None, background).explain(rows)


@pytest.mark.parametrize("i", range(5))
def test_the_drop_is_that_of_the_normal_conditional(network, rows, i):
    odd = rows + np.eye(5)[i] * np.linspace(-3, 3, len(rows))[:, None]
    mean, std = conditional(network, odd, i)
    expected = -stats.norm(mean, std).logpdf(odd[:, i]) - np.log(rows[:, i].std())
    assert_allclose(explain(SingleDrop, network, rows, odd)[:, i], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("i", range(5))
def test_the_mode_is_the_mean_of_the_normal_conditional(network, rows, i):
    odd = rows + np.eye(5)[i] * np.linspace(-3, 3, len(rows))[:, None]
    mean, std = conditional(network, odd, i)
    line = along(network, odd, list(network)[i], (-1, 1), node_log_density(network, odd))
    assert_allclose((line.mode - mean) / std, 0, atol=0.1)
    assert_allclose(line.log_density, line.log_integral + stats.norm(0, std).logpdf(0), atol=0.01)


def test_a_bounded_conditional_integrates_to_its_closed_form(bounded):
    X = np.array([[0.3, 0.9, 1.5], [2.0, 2.5, 4.6]])  # b's own part: 0.6 and 0.5
    line = along(bounded, X, "c", (0, 10), node_log_density(bounded, X))
    assert_allclose(line.log_integral, -X[:, 0], atol=0.01)  # that of a, since b's density is 1
    low, high = X[:, 0], np.minimum(X[:, 0] + 1, X[:, 2] - X[:, 0])  # b within its bounds, below c - a
    rest = stats.gamma(2, scale=0.1).cdf(X[:, 2] - X[:, 0] - low) - stats.gamma(2, scale=0.1).cdf(
        X[:, 2] - X[:, 0] - high
    )
    line = along(bounded, X, "b", (0, 10), node_log_density(bounded, X))
    assert_allclose(line.log_integral, -X[:, 0] + np.log(rest), atol=0.01)


def test_both_modes_of_a_folded_parent_are_found():
    class Folded(AdditiveNoiseNetwork):
        def location(self, node, columns):
            return np.abs(columns["a"]) if node == "b" else np.zeros(1)

    folded = Folded([("a", "b")], {"a": NormalNoise(mean=0, std=1), "b": NormalNoise(mean=0, std=0.01)})
    X = np.array([[0.0, 0.7]])
    line = along(folded, X, "a", (-4, 4), node_log_density(folded, X))
    assert_allclose(line.log_integral, np.log(2) + stats.norm.logpdf(0.7), atol=1e-3)


@pytest.mark.parametrize(
    "noise",
    [UniformNoise(low=1, width=2), ExponentialNoise(scale=2), GammaNoise(shape=2, scale=3)],
    ids=lambda noise: noise.family,
)
def test_impossible_values_are_ordered_by_distance_below_all_possible_ones(noise):
    rng = np.random.default_rng(0)
    found = log_density(noise, np.array([-100.0, -10.0, -1.0, *noise.draw(rng, 100)]))
    assert np.isfinite(found).all()
    assert found[0] < found[1] < found[2] < found[3:].min()
    assert_array_equal(found[3:], noise.log_density(noise.draw(np.random.default_rng(0), 100)))


def test_the_bayes_score_is_minus_the_log_density_of_the_row(network, rows):
    detector = NetworkDensity(network).fit(rows)
    unmixed = np.eye(5) - np.array([[float((a, b) in EDGES) for a in network] for b in network])
    covariance = np.linalg.inv(unmixed) @ np.diag([s**2 for s in STD.values()]) @ np.linalg.inv(unmixed).T
    joint = stats.multivariate_normal(np.linalg.solve(unmixed, np.ones(5)), covariance)
    assert_allclose(detector.decision_function(rows), -joint.logpdf(rows), rtol=1e-6)


def test_fewer_impossible_values_score_lower(bounded):
    clean = bounded.simulate(50)
    once, twice = clean.copy(), clean.copy()
    once[:, 2] = -1.0
    twice[:, 2] = twice[:, 0] = -1.0
    scores = [NetworkDensity(bounded).decision_function(X) for X in (clean, once, twice)]
    assert scores[0].max() < scores[1].min() <= scores[1].max() < scores[2].min()


@pytest.mark.parametrize("explainer", [SingleDrop, Sequential])
def test_a_broken_value_is_ranked_and_not_its_children(network, rows, explainer):
    odd = rows[:50].copy()
    odd[:, 3] += 2.0
    assert_array_equal(explain(explainer, network, rows, odd).argmax(axis=1), np.full(50, 3))


def test_sequential_finds_a_ground_truth_in_the_shadow_of_another(network, rows):
    odd = rows + np.array([0.0, 1.0, 0.0, 0.0, -1.5])  # d follows from b, so it looks odd too
    attributions = explain(Sequential, network, rows, odd)
    assert (attributions[:, 1] == 10).all()
    assert (attributions[:, 4] == 9).mean() > 0.95
    single = explain(SingleDrop, network, rows, odd)
    assert (single[:, 3] > single[:, 4]).mean() > 0.95


def test_a_likely_row_keeps_the_order_of_its_gains(network, rows):
    usual = network.simulate(300, purpose="usual")
    single, surprise = (explain(explainer, network, rows, usual) for explainer in (SingleDrop, Surprise))
    gains = np.maximum(single, surprise - 2)
    highest = gains.max(axis=1, keepdims=True)
    likely = highest[:, 0] <= 3
    assert likely.sum() > 200
    found = explain(Sequential, network, rows, usual)
    assert_allclose(found[likely], (gains - highest)[likely])
    assert (found[~likely].max(axis=1) == 10).all()


def test_sequential_names_a_mechanism_whose_change_spread(network, rows):
    shifted = {**network.noise, "b": NormalNoise(mean=6, std=0.2)}
    odd = AdditiveNoiseNetwork(EDGES, shifted).simulate(100)
    attributions = explain(Sequential, network, rows, odd)
    assert (attributions[:, 1] == 10).all()
    assert ((attributions > 0).sum(axis=1) == 1).mean() > 0.9  # repaired with all that followed from it


class Weighted(AdditiveNoiseNetwork):
    """30 features; 60 edges of weight ±U(0.7, 1.3)/sqrt(parents); children's noise a fifth of the roots'."""

    def __init__(self, rng):
        dag = random_dag(30, 60, rng)
        std = {node: 0.2 if dag.in_degree(node) else 1.0 for node in dag}
        super().__init__(dag.edges, {node: NormalNoise(mean=0, std=std[node]) for node in dag})
        sizes = {(a, b): uniform((0.7, 1.3), rng) / np.sqrt(dag.in_degree(b)) for a, b in dag.edges}
        self.weights = {edge: size if rng.random() < 0.5 else -size for edge, size in sizes.items()}

    def location(self, node, columns):
        parents = self.predecessors(node)
        return sum((self.weights[parent, node] * columns[parent] for parent in parents), np.zeros(1))


@pytest.mark.parametrize("seed", range(3))
def test_oracles_explain_what_margins_do_not(seed):
    rng = stream(seed, "oracle")
    network = Weighted(rng)
    X = from_own_parts(network, np.stack([own.draw(rng, 3000) for own in network.noise.values()], axis=1))
    y, mask = np.arange(3000) < 250, np.zeros((250, 30), dtype=bool)
    for row, ground_truth in zip(X, mask, strict=False):
        ground_truth[subset(30, integer(1, 4, rng), rng)] = True
        row[ground_truth] = [X[integer(250, 2999, rng), i] for i in np.flatnonzero(ground_truth)]
    detector = NetworkDensity(network).fit(X)
    assert 0.9 < metrics.auc_roc(detector.decision_function(X), y) < 0.98
    attributions = {name: explain(explainer, network, X, X[:250]) for name, explainer in NAMED.items()}
    attributions["|z|"] = np.abs(X[:250] - X.mean(axis=0)) / X.std(axis=0)
    ndcg = {name: metrics.adjusted(metrics.ndcg_m(b, mask), mask).mean() for name, b in attributions.items()}
    assert ndcg["|z|"] < 0.15
    assert 0.4 < ndcg["Surprise"] < ndcg["SingleDrop"] - 0.1
    assert ndcg["SingleDrop"] < ndcg["Sequential"] - 0.05
    assert ndcg["Sequential"] >= 0.7


def test_own_parts_are_the_noise_that_made_the_rows(network, rows):
    own = own_parts(network, rows)
    assert_allclose(own.std(axis=0), list(STD.values()), rtol=0.2)
    assert_allclose(from_own_parts(network, own), rows)


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_attribution_is_finite_where_values_are_impossible(bounded, explainer):
    clean = bounded.simulate(60)
    odd = np.concatenate([clean - 5.0, clean * 1e6, clean[:, ::-1], np.zeros((1, 3)), np.full((1, 3), 1e100)])
    assert np.isfinite(explain(explainer, bounded, clean, odd)).all()


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_the_attribution_of_a_row_does_not_depend_on_other_rows(network, rows, explainer):
    odd = rows[:40] + network.simulate(40, purpose="other")
    fitted = explainer(network).fit(None, rows)
    assert_array_equal(
        np.concatenate([fitted.explain(odd[i : i + 1]) for i in range(40)]), fitted.explain(odd)
    )
    assert fitted.explain(odd[:0]).shape == (0, 5)


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_standardised_rows_get_the_same_attribution(network, rows, explainer):
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    odd = rows[:40] + network.simulate(40, purpose="other")
    reported = explainer(network, mean=mean, std=std).fit(None, (rows - mean) / std)
    assert_allclose(reported.explain((odd - mean) / std), explain(explainer, network, rows, odd), atol=1e-6)


def test_a_standardised_row_has_the_same_score(network, rows):
    mean, std = rows.mean(axis=0), rows.std(axis=0)
    reported = NetworkDensity(network, mean=mean, std=std).decision_function((rows - mean) / std)
    assert_allclose(reported, NetworkDensity(network).decision_function(rows))


def test_params_are_those_given(network):
    params = Sequential(network, mean=2.0).get_params()
    assert params["network"] is network
    assert_array_equal(params["mean"], np.full(5, 2.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mean": np.zeros(3)}, r"mean has shape \(3,\), expected \(5,\)"),
        ({"mean": np.nan}, "mean has values that are NaN or infinite"),
        ({"std": 0.0}, "std has values that are not above 0"),
    ],
)
def test_bad_units_are_refused(network, arguments, message):
    with pytest.raises(InputError, match=message):
        NetworkDensity(network, **arguments)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((4, 2)), r"rows have shape \(4, 2\), expected \(n, 5\)"),
        (np.full((4, 5), np.inf), "rows have values that are NaN or infinite"),
    ],
)
def test_bad_rows_are_refused(network, X, message):
    with pytest.raises(InputError, match=message):
        NetworkDensity(network).fit(X)


def test_an_empty_background_is_refused(network):
    with pytest.raises(InputError, match="the background has no row"):
        Surprise(network).fit(None, np.empty((0, 5)))
