"""How fast metrics are, as ratios of least times inside one run, on one thread."""

from itertools import groupby

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from xadbench.evaluation import metrics

pytestmark = pytest.mark.bench

N, D, M = 100_000, 100, 5
SHARE = 50  # loops run on a 50th of the rows; their time goes with the number of rows


@pytest.fixture(scope="module")
def ranked():
    rng = np.random.default_rng(0)
    return rng.standard_normal((N, D)), rng.random((N, D)).argsort(axis=1) < M


def ndcg_of_row(sums, truth):
    """The textbook's nDCG_m of one row, by scikit-learn: m differs between rows, so each is a call."""
    return ndcg_score([truth], [sums], k=int(truth.sum()))


def acc_of_row(sums, truth):
    """Acc_m of one row with ties averaged, in plain Python."""
    m, taken, hits = sum(truth), 0, 0.0
    for _, tied in groupby(sorted(zip(sums, truth, strict=True), reverse=True), key=lambda pair: pair[0]):
        group = [is_true for _, is_true in tied]
        room = min(len(group), m - taken)
        hits += room * sum(group) / len(group)
        taken += room
        if taken == m:
            break
    return hits / m


@pytest.mark.parametrize(
    ("names", "at_least"),
    [(("ndcg_m",), 100), (("acc_m",), 10), (("ndcg_m", "acc_m"), 100)],  # docs/decisions/0015
)
def test_a_loop_over_rows_is_far_slower(ratio, ranked, names, at_least):
    attributions, mask = ranked
    arrays = list(zip(attributions[: N // SHARE], mask, strict=False))
    lists = [(a.tolist(), t.tolist()) for a, t in arrays]
    loops = {"ndcg_m": (ndcg_of_row, arrays), "acc_m": (acc_of_row, lists)}

    def loop():
        for of_row, rows in (loops[name] for name in names):
            for a, t in rows:
                of_row(a, t)

    found = ratio(loop, lambda: [getattr(metrics, name)(attributions, mask) for name in names])
    assert SHARE * found >= at_least


def test_scikit_learns_ndcg_is_far_slower(ratio, ranked):
    attributions, mask = ranked
    part = slice(N // 10)  # it loops over rows too
    found = ratio(
        lambda: ndcg_score(mask[part], attributions[part], k=M), lambda: metrics.ndcg_m(attributions, mask)
    )
    assert 10 * found >= 5


@pytest.fixture(scope="module")
def explained():
    rng = np.random.default_rng(0)
    X, weights = rng.standard_normal((1_000, 30)), rng.standard_normal(30)
    return weights * X, X, lambda rows: np.tanh(rows @ weights)


def test_faithfulness_is_far_faster_than_a_loop_over_subsets(ratio, explained):
    attributions, X, score = explained
    fill_value, places = np.zeros(30), np.random.default_rng(1).random((100, 30)).argsort(axis=1)
    subsets = places < 3

    def loop():
        for a, x in zip(attributions[:50], X[:50], strict=True):
            before = score(x[None])[0]
            sums = [a[s].sum() for s in subsets]
            falls = [before - score(np.where(s, fill_value, x)[None])[0] for s in subsets]
            np.corrcoef(sums, falls)

    found = ratio(loop, lambda: metrics.faithfulness_at_k(attributions, X, score, k=3, fill_value=fill_value))
    assert 20 * found >= 20


def test_infidelity_is_far_faster_than_a_loop_over_draws(ratio, explained):
    attributions, X, score = explained
    noise = 0.01 * np.random.default_rng(1).standard_normal((100, 30))

    def loop():
        for a, x in zip(attributions[:50], X[:50], strict=True):
            before = score(x[None])[0]
            np.mean([(a @ change - (before - score((x - change)[None])[0])) ** 2 for change in noise])

    found = ratio(loop, lambda: metrics.infidelity(attributions, X, score))
    assert 20 * found >= 20


def test_a_thousand_rows_of_a_thousand_features_fit_into_two_gibibytes():
    rng = np.random.default_rng(0)
    X, weights = rng.standard_normal((1_000, 1_000)), rng.standard_normal(1_000)
    case = metrics.Explained(
        weights * X,
        mask=rng.random(X.shape) < 0.01,
        deviation=np.abs(X),
        X=X,
        score=lambda rows: np.tanh(rows @ weights),
        fill_value=np.zeros(1_000),
        explain=lambda rows: weights * rows,
        explain_with_seed=lambda seed, rows: weights * rows,
    )
    case.mask[:, 0] = True
    with metrics.metered() as cost:
        for metric in metrics.METRICS.values():
            metric.values(case)
    assert cost.peak_bytes < 2 * 2**30
