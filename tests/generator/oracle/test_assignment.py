"""Rankings by assignment: no other order has a higher expected score."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from xadbench.datasets.rng import stream
from xadbench.evaluation import metrics
from xadbench.generator.oracle.assignment import expected_gain, expected_ndcg_ranking

D = 5


def random_posterior(seed, n_sets=6):
    """Some sets with probabilities, and the same by feature and size, (1, d, M + 1)."""
    rng = stream(seed, "posterior")
    masks = np.zeros((n_sets, D), dtype=bool)
    for mask in masks:
        mask[rng.permutation(D)[: rng.integers(1, D)]] = True
    shares = rng.dirichlet(np.ones(n_sets))
    by_size = np.zeros((1, D, D))
    for mask, share in zip(masks, shares, strict=True):
        by_size[0, mask, mask.sum()] += share
    return masks, shares, by_size


def expected(attributions, masks, shares):
    values = metrics.ndcg_m(np.tile(attributions, (len(masks), 1)), masks)
    return shares @ metrics.adjusted(values, masks)


@pytest.mark.parametrize("seed", range(5))
def test_no_order_has_a_higher_expected_adjusted_ndcg(seed):
    masks, shares, by_size = random_posterior(seed)
    best = max(expected(np.array(order), masks, shares) for order in itertools.permutations(range(D)))
    assert_allclose(expected(expected_ndcg_ranking(by_size)[0], masks, shares), best)


def test_the_best_order_may_differ_from_that_of_the_marginal_posterior():
    by_size = np.zeros((1, 4, 4))
    by_size[0, 0, 1] = 0.55  # {0} by itself
    by_size[0, 1:, 3] = 0.45  # or {1, 2, 3}, with so little room above chance that it counts more
    ranked, marginal = expected_ndcg_ranking(by_size), by_size.sum(axis=2)
    assert marginal[0].argmax() == 0
    assert ranked[0].argmax() != 0
    assert expected_gain(by_size, ranked)[0] > expected_gain(by_size, marginal)[0]


def test_expected_gains_differ_as_expected_scores_do():
    masks, shares, by_size = random_posterior(3)
    one, other = np.arange(D)[None] * 1.0, -np.arange(D)[None] * 1.0
    gap = expected_gain(by_size, one)[0] - expected_gain(by_size, other)[0]
    assert_allclose(gap, expected(one[0], masks, shares) - expected(other[0], masks, shares))


def test_sets_of_all_features_say_nothing_and_break_nothing():
    by_size = np.zeros((1, 3, 4))
    by_size[0, :, 3] = 1.0
    assert sorted(expected_ndcg_ranking(by_size)[0]) == [1, 2, 3]
