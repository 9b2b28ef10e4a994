import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import pearsonr

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.rng import stream
from xadbench.evaluation import metrics
from xadbench.evaluation.metrics import perturbed

WEIGHTS = np.array([3.0, -1.0, 0.5, 2.0, -0.3, 1.0])
ZERO = np.zeros(6)


def linear(X):
    return X @ WEIGHTS


def curved(X):
    return np.tanh(X @ WEIGHTS) + (X**2).sum(axis=1)


def case(n=20, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 6))
    return WEIGHTS * X + rng.standard_normal(X.shape), X


def captums(attributions, X, perturbed, n_draws, normalise):
    """Captum's infidelity under our own perturbations of each row, (n, n_draws, d)."""
    from captum.metrics import infidelity  # noqa: PLC0415  # seconds to import

    changes = iter(perturbed.reshape(len(X) * n_draws, -1)[None])
    values = infidelity(
        lambda x: torch.tensor(curved(x.numpy())),
        lambda x: (torch.tensor(change := next(changes)), x - torch.tensor(change)),
        torch.tensor(X),
        torch.tensor(attributions),
        n_perturb_samples=n_draws,
        normalize=normalise,
    )
    return values.numpy()


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("form", ["gaussian", "subset"])
def test_infidelity_is_that_of_captum(form, normalise):
    _, X = case()
    if form == "gaussian":
        noise = 0.1 * stream(0, "infidelity", "gaussian").standard_normal((30, 6))
        perturbed, settings = np.broadcast_to(noise, (20, 30, 6)), {"std": 0.1}
    else:
        chosen = stream(0, "infidelity", "subsets").random((30, 6)) < 0.5
        perturbed, settings = chosen * (X - 1.0)[:, None], {"fill_value": np.ones(6)}
    slope = X + 1 + WEIGHTS / 4  # of the score's own sign: Captum would turn other attributions around
    attributions = slope * (X - 1.0) if "fill_value" in settings else slope
    ours = metrics.infidelity(attributions, X, curved, n_draws=30, normalise=normalise, **settings)
    assert_allclose(ours, captums(slope, X, perturbed, 30, normalise), rtol=1e-9)


def loop_over_subsets(attributions, X, k, n_subsets=100, seed=0):
    """Faithfulness@k of one row at a time, one subset at a time."""
    places = stream(seed, "faithfulness", "subsets").random((n_subsets, 6)).argsort(axis=1).argsort(axis=1)
    values = []
    for a, x in zip(attributions, X, strict=True):
        pairs = [(a[s].sum(), (curved(x[None]) - curved(np.where(s, 0, x)[None])).item()) for s in places < k]
        values.append(pearsonr(*zip(*pairs, strict=True)).statistic)
    return values


def test_faithfulness_is_the_correlation_over_subsets():
    attributions, X = case()
    ours = metrics.faithfulness_at_k(attributions, X, curved, k=3, fill_value=ZERO)
    assert_allclose(ours, loop_over_subsets(attributions, X, 3), rtol=1e-9)
    curve = metrics.faithfulness_curve(attributions, X, curved, fill_value=ZERO, sizes=[1, 3])
    assert_array_equal(curve[:, 1], ours)
    area = metrics.faithfulness(attributions, X, curved, fill_value=ZERO)
    by_default = metrics.faithfulness_curve(attributions, X, curved, fill_value=ZERO)
    assert_allclose(area, by_default.mean(axis=1))


def test_another_seed_draws_other_subsets():
    attributions, X = case()
    values = [
        metrics.faithfulness_at_k(attributions, X, curved, k=3, fill_value=ZERO, seed=s) for s in (0, 0, 1)
    ]
    assert_array_equal(values[0], values[1])
    assert (values[0] != values[2]).all()


def single(X):
    """A float32 score that saturates, up to its rounding."""
    return (6 - 1.5e-6 * np.random.default_rng(0).random(len(X))).astype(np.float32)


@pytest.mark.parametrize(
    ("attributions", "score", "k"),
    [
        (np.full((3, 6), 0.1), curved, 3),  # all sets have the same attributions
        (case(3)[0], lambda X: np.full(len(X), 0.3), 3),  # or the same effect
        (case(3)[0], single, 3),
        (case(3)[0], curved, 6),  # there is one set only
    ],
)
def test_what_is_not_defined_is_nan(attributions, score, k):
    X = case(3)[1]
    assert np.isnan(metrics.faithfulness_at_k(attributions, X, score, k=k, fill_value=ZERO)).all()
    if k < 6:
        assert np.isnan(metrics.faithfulness(attributions, X, score, fill_value=ZERO)).all()
    if score is not curved:  # sets of different size have different attributions at least
        assert np.isnan(metrics.fidelity(attributions, X, score, fill_value=ZERO)).all()


def test_sums_of_equal_attribution_that_round_differently_have_no_correlation():
    X = np.random.default_rng(0).standard_normal((3, 64))
    equal = np.full((3, 64), 0.7)  # whose sums over 48 features differ in the last bits
    assert np.isnan(metrics.faithfulness_at_k(equal, X, distance, k=48, fill_value=np.zeros(64))).all()


def test_a_single_feature_leaves_nothing_to_correlate():
    one = np.ones((2, 1))
    settings = {"score": lambda X: X[:, 0], "fill_value": np.zeros(1)}
    for metric in (metrics.faithfulness, metrics.fidelity):
        assert np.isnan(metric(one, one, **settings)).all()
    assert metrics.comprehensiveness(one, one, **settings) == 1


def test_a_row_that_does_not_score_above_its_baseline_has_no_share():
    X = np.vstack([np.ones(6), -np.ones(6)])
    assert np.isfinite(metrics.total_fall(X, linear, fill_value=ZERO)).tolist() == [True, False]
    for metric in (metrics.comprehensiveness, metrics.sufficiency):
        alone = metric(WEIGHTS * X[:1], X[:1], linear, fill_value=ZERO)
        assert np.isfinite(alone)
        assert metric(WEIGHTS * X, X, linear, fill_value=ZERO) == alone
        assert np.isnan(metric(WEIGHTS * X[1:], X[1:], linear, fill_value=ZERO))


def test_no_single_row_decides_a_share_of_the_score():
    X = np.random.default_rng(0).normal(size=(100, 4)) + 5
    X[0] = [3.0, -3.0, 1e-4, 0.0]  # two contributions that cancel: all features gone, it falls by 1e-4

    def score(rows):
        return rows.sum(axis=1) + 1

    for metric in (metrics.comprehensiveness, metrics.sufficiency):
        of_all, without = (metric(of, of, score, fill_value=np.zeros(4)) for of in (X, X[1:]))
        assert 0 < of_all < 1
        assert of_all == pytest.approx(without, abs=0.01)
    curve = metrics.comprehensiveness_curve(X, X, score, fill_value=np.zeros(4))
    expected = curve.mean(axis=1).sum() / X.sum()
    assert metrics.comprehensiveness(X, X, score, fill_value=np.zeros(4)) == pytest.approx(expected)


def test_erasure_curves_by_hand():
    X, sizes = np.ones((1, 6)), np.arange(7)  # contributions 3, 2, 1, 0.5, -0.3, -1 of 5.2
    curve = metrics.comprehensiveness_curve(WEIGHTS[None], X, linear, fill_value=ZERO, sizes=sizes)
    assert_allclose(curve, [[0, 3, 5, 6, 6.5, 6.2, 5.2]])
    kept = metrics.sufficiency_curve(WEIGHTS[None], X, linear, fill_value=ZERO, sizes=sizes)
    assert_allclose(kept, 5.2 - curve)
    area = metrics.comprehensiveness(WEIGHTS[None], X, linear, fill_value=ZERO)
    assert_allclose(area, curve[0, metrics.set_sizes(6)].mean() / 5.2)
    assert_allclose(metrics.sufficiency(WEIGHTS[None], X, linear, fill_value=ZERO), 1 - area)


def test_each_chunk_is_one_call_of_bounded_size(monkeypatch):
    monkeypatch.setattr(perturbed, "CELLS_AT_ONCE", 1200)
    calls = []

    def counting(X):
        calls.append(X.shape)
        return curved(X)

    attributions, X = case()
    chunked = metrics.faithfulness_at_k(attributions, X, counting, k=3, fill_value=ZERO)
    assert max(np.prod(calls, axis=1)) <= 1200
    assert len(calls) == 20 // 2 + 1  # 2 rows and their 100 subsets fill a chunk; all rows as they are, one
    monkeypatch.setattr(perturbed, "CELLS_AT_ONCE", 120)
    assert_allclose(
        metrics.faithfulness_at_k(attributions, X, curved, k=3, fill_value=ZERO), chunked, rtol=1e-12
    )
    monkeypatch.undo()
    assert_allclose(
        metrics.faithfulness_at_k(attributions, X, curved, k=3, fill_value=ZERO), chunked, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": 0}, "k is 0, expected an integer of at least 1"),
        ({"k": 7}, "k is 7, expected at most the number of features, 6"),
        ({"n_subsets": 1}, "n_subsets is 1, expected an integer of at least 2"),
        ({"fill_value": np.zeros(5)}, r"fill_value has shape \(5,\), expected finite \(6,\) or \(3, 6\)"),
        ({"fill_value": ZERO + np.nan}, "expected finite"),
        ({"attributions": np.zeros((3, 5))}, r"shape \(3, 5\), but X has shape \(3, 6\)"),
        ({"score": lambda X: X}, r"score returned shape \(\d+, 6\) for"),
    ],
)
def test_bad_input_of_faithfulness_is_named(settings, message):
    attributions, X = case(3)
    given = {"attributions": attributions, "X": X, "score": curved, "k": 3, "fill_value": ZERO} | settings
    with pytest.raises(InputError, match=message):
        metrics.faithfulness_at_k(**given)


@pytest.mark.parametrize(("setting", "value"), [("std", 0.0), ("n_draws", 0), ("fill_value", np.zeros(5))])
def test_bad_input_of_infidelity_is_named(setting, value):
    with pytest.raises(InputError, match=f"{setting} (is|has)"):
        metrics.infidelity(*case(3), curved, **{setting: value})


def test_sizes_out_of_range_are_named():
    with pytest.raises(InputError, match=r"sizes is \[7\], expected a list of numbers from 0 to 6"):
        metrics.sufficiency_curve(*case(3), curved, fill_value=ZERO, sizes=[7])


BACKGROUND = np.random.default_rng(7).standard_normal((200, 6)) * [1, 1, 1, 1, 1, 5]


def distance(X):
    return (X**2).sum(axis=1)


@pytest.mark.parametrize("name", sorted(metrics.FILL_VALUES))
def test_a_rows_baseline_does_not_depend_on_the_others(name):
    X = case()[1]
    fill_value = metrics.make_fill_value(name, X, BACKGROUND, distance)
    if fill_value.ndim == 2:
        alone = [metrics.make_fill_value(name, row[None], BACKGROUND, distance)[0] for row in X]
        assert_array_equal(alone, fill_value)
    else:
        assert fill_value.shape == (6,)
    assert np.isfinite(metrics.faithfulness_at_k(WEIGHTS * X, X, curved, k=3, fill_value=fill_value)).all()


def test_baselines_by_hand():
    def make(name, X=BACKGROUND[:1] + 3):
        return metrics.make_fill_value(name, X, BACKGROUND, distance)

    assert_allclose(make("mean"), BACKGROUND.mean(axis=0))
    assert_allclose(make("median"), np.median(BACKGROUND, axis=0))
    normal = BACKGROUND[distance(BACKGROUND) <= np.median(distance(BACKGROUND))]
    assert_array_equal(make("nearest", normal[:3] + 1e-9), normal[:3])


def test_the_conditional_baseline_heeds_the_other_features():
    rng = np.random.default_rng(0)
    cause = rng.standard_normal(4000)
    background = np.stack([cause, 2 * cause + 0.01 * rng.standard_normal(4000)], axis=1)
    X = np.array([[0.5, -9.0], [-0.5, 9.0]])  # the second feature belies the first
    drawn = metrics.make_fill_value("conditional", X, background, distance)
    assert_allclose(drawn[:, 1], [1, -1], atol=0.1)
    assert (np.abs(drawn[:, 0]) <= np.sqrt(np.median(distance(background)))).all()  # normal rows only


def test_a_score_that_is_not_finite_leaves_its_row_undefined():
    attributions, X = case(4)

    def broken(rows):
        return np.where(np.isclose(rows[:, 0], X[2, 0], atol=0.1), np.inf, curved(rows))

    fill_value = metrics.make_fill_value("nearest", X, BACKGROUND, broken)
    for metric in (metrics.infidelity, metrics.faithfulness, metrics.fidelity, metrics.sufficiency_curve):
        settings = {} if metric is metrics.infidelity else {"fill_value": fill_value}
        assert np.isnan(metric(attributions, X, broken, **settings)[2]).all()
        others = [0, 1, 3]
        defined = metric(attributions, X, curved, **settings)[others]
        assert_array_equal(metric(attributions, X, broken, **settings)[others], defined)
    whole = metrics.sufficiency(attributions, X, broken, fill_value=fill_value)
    others = metrics.sufficiency(
        attributions[[0, 1, 3]], X[[0, 1, 3]], curved, fill_value=fill_value[[0, 1, 3]]
    )
    assert whole == others
    with pytest.raises(InputError, match="finite for no row of the background"):
        metrics.make_fill_value("nearest", X, BACKGROUND, lambda rows: np.full(len(rows), np.inf))


def test_an_unknown_baseline_is_named():
    with pytest.raises(
        InputError, match=r"unknown fill_value 'zero'.*; known: conditional, mean, median, nearest"
    ):
        metrics.make_fill_value("zero", BACKGROUND, BACKGROUND, distance)


@pytest.mark.parametrize("name", [name for name, metric in metrics.METRICS.items() if metric.curve])
def test_an_area_is_the_mean_of_its_curve(name):
    X = np.random.default_rng(0).normal(size=(6, 8))
    X[0] = 0.0  # does not score above its fill value
    explained = metrics.Explained(X**2, X=X, score=lambda rows: (rows**2).sum(axis=1), fill_value=np.zeros(8))
    curve = metrics.METRICS[name].curve(explained)
    assert curve.shape == (6, len(metrics.set_sizes(8)))
    assert_array_equal(metrics.mean_over_sizes(curve), metrics.METRICS[name].values(explained))
    parts = metrics.METRICS[name].total or metrics.METRICS[name].values  # of a ratio: what it is over
    assert np.isnan(parts(explained)).tolist() == [True] + [False] * 5


def test_a_curve_without_a_finite_score_somewhere_is_not_defined():
    X = np.ones((1, 3))

    def score(rows):
        return np.where(rows.sum(axis=1) == 2, np.inf, rows.sum(axis=1))

    assert np.isnan(metrics.comprehensiveness(X, X, score, fill_value=np.zeros(3))).all()
