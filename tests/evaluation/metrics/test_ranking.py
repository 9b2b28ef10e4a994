from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.evaluation import metrics

SCORED = [metrics.ndcg_m, metrics.acc_m]
both = pytest.mark.parametrize("metric", SCORED)


@st.composite
def masks(draw: st.DrawFn, max_features: int = 12) -> BoolArray:
    """Masks with at least one ground-truth feature a row."""
    shape = draw(array_shapes(min_dims=2, max_dims=2, max_side=max_features))
    mask = draw(arrays(bool, shape))
    mask[np.arange(shape[0]), draw(arrays(np.int64, shape[0], elements=st.integers(0, shape[1] - 1)))] = True
    return mask


@st.composite
def evaluated(draw: st.DrawFn, max_features: int = 12) -> tuple[FloatArray, BoolArray]:
    """Attributions, many of them tied, and a mask."""
    mask = draw(masks(max_features))
    return draw(arrays(float, mask.shape, elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0, 7.0]))), mask


def random_case(rows: int = 200, features: int = 9, seed: int = 0) -> tuple[FloatArray, BoolArray]:
    rng = np.random.default_rng(seed)
    mask = rng.random((rows, features)) < 0.4
    mask[~mask.any(axis=1), 0] = True
    return rng.random(mask.shape), mask


@pytest.mark.parametrize("decimals", [9, 1, 0])  # no ties, some, many
def test_ndcg_is_that_of_scikit_learn_which_averages_ties_too(decimals: int) -> None:
    attributions, mask = random_case()
    attributions = attributions.round(decimals)
    pairs = zip(mask, attributions, strict=True)
    expected = [ndcg_score([truth], [of_row], k=int(truth.sum())) for truth, of_row in pairs]
    assert_allclose(metrics.ndcg_m(attributions, mask), expected, rtol=1e-12)


def ndcg(gains):
    m = np.count_nonzero(gains)
    weights = 1 / np.log2(np.arange(2, m + 2))
    return gains[:m] @ weights / (np.sort(gains)[::-1][:m] @ weights)


def acc(gains):
    return gains[: np.count_nonzero(gains)].sum() / gains.sum()


# Of the gains in one order of the features, top-ranked first; written anew, each from its definition.
DEFINITIONS = {
    "ndcg_m": ndcg,
    "acc_m": acc,
    "reciprocal_rank": lambda truth: 1 / (1 + np.argmax(truth)),
    "cell_average_precision": lambda truth: (truth.cumsum() / np.arange(1, len(truth) + 1))[truth > 0].mean(),
    "cell_auc_roc": lambda truth: np.mean(
        [i < j for i, j in product(*map(np.flatnonzero, (truth, truth == 0)))]
    ),
    "graded_ndcg_m": ndcg,
    "graded_acc_m": acc,
}


def in_every_order(name: str, gains: FloatArray, of_row: FloatArray | None = None) -> list[float]:
    """The metric in all orders of the features, or in those that sort by attributions."""
    every = map(list, permutations(range(len(gains))))
    orders = [order for order in every if of_row is None or (np.diff(of_row[order]) <= 0).all()]
    return [DEFINITIONS[name](gains[order].astype(float)) for order in orders]


def with_deviation(of_row: FloatArray, mask: BoolArray) -> tuple[metrics.Explained, FloatArray]:
    """What is evaluated, with deviations, all of them different, and the graded gains."""
    deviation = np.arange(mask.size).reshape(mask.shape) * 0.5 + 1
    return metrics.Explained(of_row, mask=mask, deviation=deviation), np.where(mask, deviation, 0.0)


ranking = pytest.mark.parametrize("name", [metric.name for metric in metrics.RANKING])


@ranking
@given(case=evaluated(max_features=4))
def test_ties_are_the_mean_over_all_orders(name: str, case: tuple[FloatArray, BoolArray]) -> None:
    explained, graded = with_deviation(*case)
    gains = graded if name.startswith("graded") else case[1]
    if name == "cell_auc_roc":
        gains = gains[~case[1].all(axis=1)]
        explained = metrics.Explained(case[0][~case[1].all(axis=1)], mask=gains)
    values = metrics.METRICS[name].values(explained)
    expected = [
        np.mean(in_every_order(name, *row)) for row in zip(gains, explained.attributions, strict=True)
    ]
    assert_allclose(values, expected, rtol=1e-12)


@ranking
@pytest.mark.parametrize("d", range(1, 7))
def test_chance_and_its_variance_are_those_over_all_orders(name: str, d: int) -> None:
    mask = np.arange(d) < np.arange(1, d + 1)[:, None]
    explained, graded = with_deviation(np.zeros(mask.shape), mask)
    gains = graded if name.startswith("graded") else mask
    metric, defined = metrics.METRICS[name], slice(None, -1 if name == "cell_auc_roc" else None)
    values = [in_every_order(name, row) for row in gains[defined]]
    assert_allclose(metric.chance(explained)[defined], [np.mean(row) for row in values], rtol=1e-12)
    assert_allclose(metric.chance_variance(explained)[defined], [np.var(row) for row in values], atol=1e-14)
    assert_allclose(metric.values(explained)[defined], metric.chance(explained)[defined], rtol=1e-12)


@ranking
@pytest.mark.parametrize("m", [1, 4, 11])
def test_random_attribution_has_the_chance_and_variance_declared(name: str, m: int) -> None:
    n_rows, d = 20_000, 12
    rng = np.random.default_rng(m)
    explained = metrics.Explained(
        rng.random((n_rows, d)),
        mask=np.tile(np.arange(d) < m, (n_rows, 1)),
        deviation=np.tile(rng.uniform(0.5, 5, d), (n_rows, 1)),
    )
    metric = metrics.METRICS[name]
    values, variance = metric.values(explained), metric.chance_variance(explained)[0]
    assert abs(values.mean() - metric.chance(explained)[0]) <= 5 * values.std() / n_rows**0.5
    squares = (values - values.mean()) ** 2
    assert abs(squares.mean() - variance) <= 5 * squares.std() / n_rows**0.5


def test_graded_gains_reward_the_glaring_ground_truth_alone() -> None:
    mask = np.array([[True, True, False]])
    gains = metrics.graded_gains(mask, np.array([[3.0, 1.0, 9.0]]))  # the last one only follows the others
    assert gains.tolist() == [[3.0, 1.0, 0.0]]
    glaring, faint = np.array([[3.0, 1.0, 2.0]]), np.array([[1.0, 3.0, 2.0]])
    assert metrics.graded_acc_m(glaring, gains) == [0.75]
    assert metrics.graded_acc_m(faint, gains) == [0.25]
    assert metrics.graded_ndcg_m(glaring, gains) > metrics.ndcg_m(glaring, mask)
    assert metrics.graded_ndcg_m(faint, gains) < metrics.ndcg_m(faint, mask)
    with pytest.raises(InputError, match="gains has 1 value"):
        metrics.graded_acc_m(glaring, -gains[:, [2, 2, 0]])


@pytest.mark.parametrize("decimals", [9, 1])
def test_graded_ndcg_is_that_of_scikit_learn(decimals: int) -> None:
    attributions, mask = random_case()
    attributions = attributions.round(decimals)
    gains = mask * np.random.default_rng(4).uniform(0.5, 5, mask.shape)
    rows = zip(gains, attributions, strict=True)
    expected = [ndcg_score([own], [of_row], k=int((own > 0).sum())) for own, of_row in rows]
    assert_allclose(metrics.graded_ndcg_m(attributions, gains), expected, rtol=1e-12)


def test_without_ties_cells_are_those_of_scikit_learn() -> None:
    attributions, mask = random_case()
    rows = list(zip(mask, attributions, strict=True))
    average = [average_precision_score(*row) for row in rows]
    assert_allclose(metrics.cell_average_precision(attributions, mask), average, rtol=1e-12)
    attributions, mask = (
        attributions.round(1)[~mask.all(axis=1)],
        mask[~mask.all(axis=1)],
    )  # ties do not differ
    auc = [roc_auc_score(*row) for row in zip(mask, attributions, strict=True)]
    assert_allclose(metrics.cell_auc_roc(attributions, mask), auc, rtol=1e-12)


@both
@given(mask=masks(), value=st.sampled_from([0.0, -3.0, 1e300]))
def test_constant_attributions_score_exactly_chance(metric, mask: BoolArray, value: float) -> None:
    assert_allclose(metric(np.full(mask.shape, value), mask), mask.mean(axis=1), rtol=1e-14)


@both
@pytest.mark.parametrize("m", [1, 3, 7])
def test_chance_is_what_random_attributions_average(metric, m: int) -> None:
    mask = np.tile(np.arange(8) < m, (40_000, 1))
    values = metric(np.random.default_rng(m).random(mask.shape), mask)
    assert abs(values.mean() - metrics.chance_level(mask)[0]) < 5 * values.std() / len(values) ** 0.5


@both
@given(case=evaluated())
def test_values_lie_in_the_declared_range_and_the_truth_scores_best(
    metric, case: tuple[FloatArray, BoolArray]
) -> None:
    declared = metrics.METRICS[metric.__name__]
    values = metric(*case)
    assert declared.range[0] <= values.min() <= values.max() <= declared.range[1]
    assert_array_equal(metric(case[1].astype(float), case[1]), declared.best)


@both
@given(case=evaluated(), seed=st.integers(0, 99))
def test_order_of_features_and_monotone_transforms_do_not_matter(
    metric, case: tuple[FloatArray, BoolArray], seed: int
) -> None:
    attributions, mask = case
    order = np.random.default_rng(seed).permutation(mask.shape[1])
    values = metric(attributions, mask)
    assert_allclose(metric(attributions[:, order], mask[:, order]), values, rtol=1e-12)
    assert_array_equal(metric(np.exp(attributions) * 5 - 3, mask), values)


@both
def test_truth_beats_noisy_truth_beats_random_beats_inverted_truth(metric) -> None:
    random, mask = random_case(rows=400)
    truth = mask.astype(float)
    ladder = [metric(of_row, mask).mean() for of_row in (truth, truth + 2 * random, random, -truth)]
    assert (np.diff(ladder) < -0.05).all(), ladder


@both
def test_a_row_without_ground_truth_has_no_value(metric) -> None:
    values = metric(np.eye(2), np.array([[False, False], [False, True]]))
    assert np.isnan(values[0])
    assert values[1] == 1


def test_ndcg_by_hand() -> None:
    value = metrics.ndcg_m(np.array([[4.0, 3.0, 2.0, 1.0]]), np.array([[False, True, True, False]]))
    assert_allclose(value, (1 / np.log2(3)) / (1 + 1 / np.log2(3)))


def test_acc_by_hand() -> None:
    assert metrics.acc_m(np.array([[4.0, 3.0, 2.0, 1.0]]), np.array([[True, False, True, True]])) == [2 / 3]


def test_adjusted_is_0_at_chance_1_at_best_and_undefined_where_nothing_can_be_told() -> None:
    mask = np.array([[True, False], [True, False], [True, True], [False, False]])
    adjusted = metrics.adjusted(np.array([0.5, 1.0, 1.0, np.nan]), mask)
    assert_array_equal(adjusted, [0.0, 1.0, np.nan, np.nan])
    assert np.nanmean(adjusted) == 0.5


@both
@pytest.mark.parametrize(
    ("attributions", "mask", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4), bool), r"shape \(2, 3\), but mask has shape \(2, 4\)"),
        (np.array([[0.0, np.nan]]), np.ones((1, 2), bool), "first: row 0, column 1"),
        (np.zeros((1, 2)), np.ones((1, 2)), "mask has dtype float64, expected bool"),
        (np.zeros(2), np.ones(2, bool), r"mask has shape \(2,\), expected \(n, d\)"),
    ],
)
def test_bad_input_is_named(metric, attributions: FloatArray, mask: BoolArray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        metric(attributions, mask)


def test_adjusted_wants_one_value_a_row() -> None:
    with pytest.raises(InputError, match=r"values has shape \(2,\), expected \(1,\)"):
        metrics.adjusted(np.zeros(2), np.ones((1, 2), bool))


def test_attributions_and_masks_with_names_are_matched_by_these():
    mask = pd.DataFrame({"a": [True, False], "b": [False, True]}, index=["u", "v"])
    attributions = mask.astype(float).loc[["v", "u"], ["b", "a"]]
    for metric in (metrics.ndcg_m, metrics.acc_m, metrics.reciprocal_rank, metrics.cell_auc_roc):
        assert metric(attributions, mask).tolist() == [1, 1]
        with pytest.raises(InputError, match="row labels"):
            metric(attributions, mask.to_numpy())
    scores = pd.Series([2.0, 1.0, 0.0], index=[2, 0, 1])
    assert metrics.auc_roc(scores, pd.Series([False, False, True])) == 1
