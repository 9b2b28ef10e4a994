import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.stats import spearmanr

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.rng import stream
from xadbench.evaluation import metrics

X = np.random.default_rng(0).standard_normal((15, 5))


def curved(X):
    return np.tanh(X) * [1, 2, -3, 4, 0.5] + X.sum(axis=1, keepdims=True) ** 2


def test_max_sensitivity_is_that_of_captum():
    from captum.metrics import sensitivity_max  # noqa: PLC0415  # seconds to import

    shifts = 0.1 * stream(0, "max_sensitivity").uniform(-1, 1, (10, 5))
    expected = sensitivity_max(
        lambda x: (torch.tensor(curved(x[0].numpy())),),
        (torch.tensor(X),),
        perturb_func=lambda x, _: (x + torch.tensor(np.tile(shifts, (15, 1))),),  # a row's copies adjoin
        n_perturb_samples=10,
    )
    ours = metrics.max_sensitivity(curved(X), X, curved, radius=0.1)
    assert_allclose(ours, expected.numpy(), rtol=1e-9)


def test_max_sensitivity_of_no_attribution_is_not_defined():
    values = metrics.max_sensitivity(np.eye(15, 5), X, lambda rows: np.eye(15, 5))
    assert values[:5].tolist() == [0] * 5
    assert np.isnan(values[5:]).all()


def test_agreement_is_the_mean_spearman_correlation_over_pairs():
    runs = np.random.default_rng(1).standard_normal((3, 15, 5)).round(1)
    pairs = ((0, 1), (0, 2), (1, 2))
    expected = [np.mean([spearmanr(runs[a, i], runs[b, i]).statistic for a, b in pairs]) for i in range(15)]
    assert_allclose(metrics.rank_agreement(runs), expected, rtol=1e-12, atol=1e-15)


def test_agreement_with_a_run_that_names_all_alike_is_not_defined():
    runs = np.array([[[1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0], [1.0, 2.0]]])
    assert metrics.rank_agreement(runs)[0] == pytest.approx(1)
    assert np.isnan(metrics.rank_agreement(runs)[1])


def test_an_explainer_that_heeds_the_batch_is_found_out():
    def by_neighbour(rows):
        return rows + np.roll(rows, 1, axis=0)

    assert_allclose(metrics.batch_agreement(X, curved), 1)
    assert metrics.batch_agreement(X, by_neighbour).mean() < 0.9


def test_seeds_are_distinguished():
    seen = []

    def noisy(seed, rows):
        seen.append(seed)
        return curved(rows) + np.random.default_rng(seed).standard_normal(rows.shape)

    assert 0 < metrics.seed_agreement(X, noisy).mean() < 0.99
    assert len(set(seen)) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.rank_agreement(X[None]), r"shape \(1, 15, 5\), expected finite"),
        (lambda: metrics.max_sensitivity(X, X, curved, radius=0), "radius is 0, expected a number above 0"),
        (lambda: metrics.max_sensitivity(X, X, lambda rows: rows[:, 1:]), r"shape \(15, 4\), but X"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
