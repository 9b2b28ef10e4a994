"""The families of recipes are hidden from margins; all but noisy can be explained with the network."""

import pandas as pd
import pytest

from xadbench.evaluation.audit.recipes import audit
from xadbench.evaluation.leaks.controls import leak_controls, leaks
from xadbench.generator import generate, load_recipe

pytestmark = pytest.mark.claims


def figures_of(recipe):
    overall = pd.DataFrame([audit(recipe, seed).iloc[-1] for seed in recipe.seeds])
    return overall.drop(columns="kind").astype(float).mean()


@pytest.mark.parametrize("family", ["nonlinear", "interaction", "clusters"])
@pytest.mark.parametrize("d", [10, 30, 100])
def test_explaining_is_hard_and_possible(family, d):
    figures = figures_of(load_recipe(f"{family}-d{d}"))
    assert figures["z_score"] <= 0.20
    assert abs(figures["random"]) < 0.05
    assert figures["network_heuristic"] >= 0.70
    assert 0.90 <= figures["density_auc"] <= 0.98
    if family != "clusters":
        assert figures["surprise_ridge"] <= 0.5 * figures["network_heuristic"]


@pytest.mark.parametrize(("d", "least_auc"), [(10, 0.65), (30, 0.80), (100, 0.85)])
def test_little_can_be_known_of_noisy_features(d, least_auc):
    figures = figures_of(load_recipe(f"noisy-d{d}"))
    assert figures["z_score"] <= 0.20
    assert least_auc <= figures["density_auc"] <= 0.98
    assert figures["z_score"] < figures["network_heuristic"]


@pytest.mark.parametrize("family", ["nonlinear", "interaction", "clusters", "noisy"])
@pytest.mark.parametrize("d", [10, 30, 100])
def test_no_leak_control_exceeds_its_null(family, d):
    recipe = load_recipe(f"{family}-d{d}")
    found = [leaks(leak_controls(generate(recipe, seed), seed)) for seed in recipe.seeds]
    assert pd.concat(found).empty
