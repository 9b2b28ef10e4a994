"""What the oracle makes of whole tables: better than all that knows less."""

import numpy as np
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import metrics
from xadbench.generator import generate, load_recipe
from xadbench.generator.anomalies.registry import Population
from xadbench.generator.oracle.bayes import BayesExplainer, BayesModel
from xadbench.generator.oracle.heuristic import Sequential
from xadbench.generator.oracle.likelihood_ratio import LikelihoodRatio
from xadbench.generator.oracle.network_density import NetworkDensity
from xadbench.generator.recipe import with_rows
from xadbench.generator.simulation import network_of


@pytest.fixture(scope="module")
def contextual():
    recipe = with_rows(load_recipe("contextual-d10"), 2000)
    return network_of(recipe, 100), generate(recipe, 100)


def adjusted(attributions, table):
    mask = table.mask[table.y]
    return float(np.nanmean(metrics.adjusted(metrics.ndcg_m(attributions, mask), mask)))


def test_who_knows_more_explains_better(contextual):
    network, table = contextual
    X = table.X[table.y]
    model = BayesModel.of_table(network, table)
    best = adjusted(BayesExplainer(model).fit(None, table.X).explain(X), table)
    network_alone = adjusted(BayesExplainer(BayesModel.of_network(network)).explain(X), table)
    heuristic = adjusted(Sequential(network).fit(None, table.X).explain(X), table)
    assert best > network_alone + 0.02
    assert best > heuristic + 0.05
    assert best > 0.85


def test_the_marginal_posterior_is_best_for_acc_m(contextual):
    network, table = contextual
    X, mask = table.X[table.y], table.mask[table.y]
    model = BayesModel.of_table(network, table)
    marginal = BayesExplainer(model, "acc_m").explain(X)
    assert marginal.min() >= 0
    assert marginal.max() <= 1 + 1e-9
    assert metrics.acc_m(marginal, mask).mean() > 0.8


def test_the_likelihood_ratio_detects_better_than_the_density_alone(contextual):
    network, table = contextual
    model = BayesModel.of_table(network, table)
    ratio = LikelihoodRatio(model).fit(table.X).decision_function(table.X)
    density = NetworkDensity(network).decision_function(table.X)
    assert metrics.auc_roc(ratio, table.y) > metrics.auc_roc(density, table.y) + 0.002


def test_scores_are_those_of_the_standardised_rows(contextual):
    network, table = contextual
    model, rows = BayesModel.of_table(network, table), table.X[:20]
    mean, std = table.X.mean(axis=0), table.X.std(axis=0)
    again = LikelihoodRatio(model, mean, std).decision_function((rows - mean) / std)
    np.testing.assert_allclose(again, LikelihoodRatio(model).decision_function(rows), rtol=1e-6, atol=1e-6)


def test_the_labels_are_not_looked_at(contextual):
    network, table = contextual
    anonymous = table.rows(np.arange(table.n_rows))
    object.__setattr__(anonymous, "y", ~table.y)
    object.__setattr__(anonymous, "mask", None)
    X = table.X[:40]
    found, before = (BayesModel.of_table(network, one).posterior(X) for one in (anonymous, table))
    np.testing.assert_array_equal(found.by_size, before.by_size)


def test_a_set_that_all_rows_of_a_kind_share_is_found_from_the_table():
    recipe = with_rows(load_recipe("table2-d4-5"), 1000)
    table, network = generate(recipe, 102), network_of(recipe, 102)
    model = BayesModel.of_table(network, table)
    attributions = BayesExplainer(model).explain(table.X[table.y])
    each_row = BayesModel.of(network, [k.kind for k in model.enumeration.kinds], Population(table.clean))
    alone = adjusted(BayesExplainer(each_row).explain(table.X[table.y]), table)
    assert adjusted(attributions, table) > alone + 0.1
    assert adjusted(attributions, table) > 0.7


def test_a_table_without_a_recipe_is_refused(contextual):
    network, table = contextual
    bare = table.rows(np.arange(50))
    object.__setattr__(bare, "provenance", {"source": "a test"})
    with pytest.raises(InputError, match=r"no recipe.*network_heuristic"):
        BayesModel.of_table(network, bare)
