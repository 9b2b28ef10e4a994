"""What every registered metric must keep: one self-test over the registry."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.evaluation import metrics
from xadbench.evaluation.metrics import METRICS, Explained

N, D, M = 300, 8, 3
# Random subsets and noise have fixed columns; these metrics have none.
ANY_COLUMNS = [*(metric.name for metric in metrics.RANKING), "comprehensiveness", "sufficiency"]
ROBUSTNESS = ["max_sensitivity", "seed_agreement", "batch_agreement"]

# Of D features or fewer, sets of k are not defined; they are alike for all k.
EVERY = sorted(set(METRICS) - {f"faithfulness_at_{k}" for k in metrics.SET_SIZES if k >= D})
every = pytest.mark.parametrize("name", EVERY)


def contributions(X, weights, fill_value):
    return weights * (X - fill_value)


def linear_case(seed=0):
    """A linear-Gaussian table: rows with M shifted cells, a linear score, and its true attributions."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(1, 2, D)
    clean = 0.2 * rng.standard_normal((N, D))
    mask = rng.random((N, D)).argsort(axis=1) < M
    X = clean + mask * rng.uniform(1, 4, (N, D))
    fill_value = np.zeros(D)
    return weights, Explained(
        contributions(X, weights, fill_value),
        mask=mask,
        deviation=np.abs(X - clean) / clean.std(axis=0),
        X=X,
        score=lambda rows: rows @ weights,
        fill_value=fill_value,
        seed=seed,
    )


def evaluated(name, kind, seed=0):
    """The linear case named by the truth, a noisy truth, at random or by the truth inverted."""
    weights, case = linear_case(seed)
    rng = np.random.default_rng(seed + 1)
    of_score = name in {
        "infidelity",
        "infidelity_normalised",
    }  # attributions by the gradient, not by contributions

    def truth(X):
        return np.broadcast_to(weights, X.shape) if of_score else contributions(X, weights, case.fill_value)

    scale = np.abs(truth(case.X)).std()
    share = {"truth": 0.0, "noisy": 0.55, "random": 1.0}.get(kind, 0.0)
    if kind == "inverted":
        return dataclasses.replace(case, attributions=-truth(case.X))

    def explain(X, rng=rng):
        noise = scale * rng.standard_normal(X.shape)
        return (1 - share) * truth(X) + share * noise

    return dataclasses.replace(
        case,
        attributions=explain(case.X),
        explain=explain,
        explain_with_seed=lambda seed, X: explain(X, np.random.default_rng(seed)),
    )


@every
def test_truth_beats_noisy_truth_beats_random_beats_inverted_truth(name):
    metric = METRICS[name]
    kinds = ["truth", "noisy", "random"]
    if name not in ROBUSTNESS:
        kinds.append("inverted")  # it is as robust as the truth
    ladder = [metric.values(evaluated(name, kind)) for kind in kinds]
    for better, worse in pairwise(ladder):
        step = (better - worse) * (1 if metric.higher_is_better else -1)
        assert step.mean() > 4 * step.std() / N**0.5
    if metric.best == 1:
        assert ladder[0].mean() > 0.95  # the truth of a linear score is all but perfect


@every
def test_values_lie_in_the_declared_range_and_chance_is_what_random_attribution_gets(name):
    metric = METRICS[name]
    case = evaluated(name, "random")
    values = metric.values(case)
    assert values.shape == (N,)
    assert np.isfinite(values).all()
    assert metric.range[0] <= values.min() <= values.max() <= metric.range[1]
    if metric.chance is not None:
        off = values - metric.chance(case)
        assert abs(off.mean()) < 5 * off.std() / N**0.5
        adjusted = metric.adjusted(values, case)
        assert_allclose(adjusted, off / (metric.best - metric.chance(case)), atol=1e-12)


@pytest.mark.parametrize("name", sorted({*EVERY} - {"infidelity", "infidelity_subset"}))
def test_the_unit_of_attribution_does_not_matter(name):
    case = evaluated(name, "noisy")
    again = dataclasses.replace(
        case,
        attributions=4 * case.attributions,
        explain=lambda X: 4 * case.explain(X),
        explain_with_seed=lambda seed, X: 4 * case.explain_with_seed(seed, X),
    )
    rewound = evaluated(name, "noisy")  # the same noise again
    again = dataclasses.replace(again, explain=lambda X: 4 * rewound.explain(X))
    assert_allclose(METRICS[name].values(again), METRICS[name].values(case), rtol=1e-9)


@pytest.mark.parametrize("name", ["infidelity", "infidelity_subset"])
def test_the_unit_of_attribution_matters_to_infidelity_as_it_is_defined(name):
    case = evaluated(name, "truth")
    again = dataclasses.replace(case, attributions=4 * case.attributions)
    assert METRICS[name].values(case).max() < 1e-20
    assert METRICS[name].values(again).min() > 1e-6


@pytest.mark.parametrize("name", ANY_COLUMNS)
def test_the_order_of_the_columns_does_not_matter(name):
    case = evaluated(name, "noisy")
    order = np.random.default_rng(3).permutation(D)
    shuffled = dataclasses.replace(
        case,
        **{field: getattr(case, field)[:, order] for field in ("attributions", "mask", "deviation", "X")},
        fill_value=case.fill_value[order],
        score=lambda rows: case.score(rows[:, np.argsort(order)]),
    )
    assert_allclose(METRICS[name].values(shuffled), METRICS[name].values(case), rtol=1e-9)


@every
def test_attribution_alike_gets_chance_or_no_value(name):
    metric = METRICS[name]
    case = evaluated(name, "truth")
    equal = np.full((N, D), 0.1)
    values = metric.values(
        dataclasses.replace(
            case, attributions=equal, explain=lambda X: equal, explain_with_seed=lambda seed, X: equal
        )
    )
    if metric.needs_ground_truth:
        assert_allclose(values, metric.chance(case), rtol=1e-12)
    elif metric.chance is not None:
        assert np.isnan(values).all()
    else:
        assert np.isfinite(values).all()


# The others call the explainer, which keeps this by its own contract.
@pytest.mark.parametrize("name", sorted({*EVERY} - {*ROBUSTNESS}))
def test_a_row_has_the_same_value_in_any_batch(name):
    case = evaluated(name, "noisy")
    rows = np.random.default_rng(5).permutation(N)[:20]
    fields = ("attributions", "mask", "deviation", "X")
    part = dataclasses.replace(case, **{field: getattr(case, field)[rows] for field in fields})
    assert_allclose(METRICS[name].values(part), METRICS[name].values(case)[rows], rtol=1e-9)


@every
def test_what_is_not_known_leaves_the_metric_undefined(name):
    case = evaluated(name, "truth")
    for need in METRICS[name].needs:
        lacking = dataclasses.replace(case, **{need: None})
        assert np.isnan(METRICS[name].values(lacking)).all()
        assert np.isnan(METRICS[name].adjusted(np.ones(N), lacking)).all()


@every
def test_an_entry_describes_itself(name):
    metric = METRICS[name]
    assert metric.name == name
    assert 10 < len(metric.description) < 100
    assert metric.source
    assert metric.best in metric.range
    fields = {field.name for field in dataclasses.fields(Explained)}
    assert metric.needs
    assert metric.needs <= fields
    assert (metric.chance_variance is not None) == metric.needs_ground_truth


def test_the_input_stays_as_it_was():
    case = evaluated("ndcg_m", "noisy")
    before = {
        name: getattr(case, name).copy() for name in ("attributions", "mask", "deviation", "X", "fill_value")
    }
    for metric in METRICS.values():
        metric.values(case)
    for name, values in before.items():
        assert_array_equal(getattr(case, name), values)


@pytest.mark.parametrize(("k", "d"), [(3, 2), (3, 3), (31, 8)])
def test_sets_of_k_features_tell_nothing_of_k_features_or_fewer(k, d):
    rows = np.ones((4, d))
    case = Explained(rows, X=rows, score=lambda rows: rows.sum(axis=1), fill_value=np.zeros(d))
    assert np.isnan(METRICS[f"faithfulness_at_{k}"].values(case)).all()


def test_sets_of_k_features_have_k_features():
    case = evaluated("faithfulness", "noisy")
    expected = metrics.faithfulness_at_k(
        case.attributions, case.X, case.score, k=7, fill_value=case.fill_value
    )
    assert_array_equal(METRICS["faithfulness_at_7"].values(case), expected)
