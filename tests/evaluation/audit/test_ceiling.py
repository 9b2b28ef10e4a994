"""No explainer is above the oracle by more than two standard errors, on rows of several networks."""

import numpy as np
import pytest

from xadbench.evaluation import metrics
from xadbench.evaluation.explainers import make_explainer
from xadbench.generator import generate, load_recipe
from xadbench.generator.oracle.bayes import BayesExplainer, BayesModel
from xadbench.generator.oracle.heuristic import Sequential
from xadbench.generator.oracle.network_density import NetworkDensity
from xadbench.generator.recipe import with_rows
from xadbench.generator.simulation import network_of

FAST = ("z_score", "mahalanobis", "surprise_ridge", "surprise_boosting", "dsil_repair", "random")


def scores(name, seed, explainers):
    """Adjusted nDCG_m of each anomaly, by explainer."""
    recipe = with_rows(load_recipe(name), 1000)
    table, network = generate(recipe, seed), network_of(recipe, seed)
    density, X, mask = NetworkDensity(network), table.X[table.y], table.mask[table.y]
    made = {one: make_explainer(one, random_state=seed) for one in explainers}
    made |= {"oracle": BayesExplainer(BayesModel.of_table(network, table))}
    made |= {"oracle_network": BayesExplainer(BayesModel.of_network(network))}
    made |= {"network_heuristic": Sequential(network)}
    found = {label: one.fit(density, background=table.X).explain(X) for label, one in made.items()}
    return {label: metrics.adjusted(metrics.ndcg_m(one, mask), mask) for label, one in found.items()}


def check(name, seeds, explainers):
    tables = [scores(name, seed, explainers) for seed in seeds]
    rows = {label: np.concatenate([one[label] for one in tables]) for label in tables[0]}
    oracle = rows.pop("oracle")
    for label, own in rows.items():
        ahead = own - oracle
        assert ahead.mean() <= 2 * ahead.std() / np.sqrt(len(ahead)), label
    return oracle


def test_on_ten_features():
    oracle = check("contextual-d10", range(100, 103), FAST)
    assert oracle.mean() > 0.8


@pytest.mark.claims
@pytest.mark.parametrize("name", ["contextual-d30", "contextual-d100"])
def test_on_more_features(name):
    check(name, range(100, 103), FAST[:3])
