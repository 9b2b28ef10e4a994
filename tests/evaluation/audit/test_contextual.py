"""The contextual recipes are worth explaining: margins say little, those who know the network much."""

import pandas as pd
import pytest

from xadbench.evaluation.audit.recipes import audit
from xadbench.generator import load_recipe

pytestmark = pytest.mark.claims


@pytest.mark.parametrize(("name", "most_by_margins"), [("d10", 0.20), ("d30", 0.15), ("d100", 0.15)])
def test_explaining_is_hard_and_possible(name, most_by_margins):
    recipe = load_recipe(f"contextual-{name}")
    overall = pd.DataFrame([audit(recipe, seed).iloc[-1] for seed in recipe.seeds])
    figures = overall.drop(columns="kind").astype(float).mean()
    assert figures["z_score"] <= most_by_margins
    assert figures["network_heuristic"] >= 0.70
    assert figures["oracle"] >= figures["network_heuristic"]
    assert 0.90 <= figures["density_auc"] <= 0.98
    assert abs(figures["random"]) < 0.05


@pytest.mark.parametrize("name", ["d10", "d30"])
def test_there_is_a_detector_to_explain(name):
    overall = audit(load_recipe(f"contextual-{name}"), seed=0, train=True).iloc[-1]
    assert overall["dte_auc"] >= 0.85
    assert overall["iforest_auc"] < 0.75
