import numpy as np
import pytest
from scipy import stats

from xadbench.evaluation.metrics import auc_roc
from xadbench.generator import calibration as calibrate
from xadbench.generator.anomalies.registry import Calibrated, Global, Local
from xadbench.generator.calibration import CANDIDATES, auc, find_strength, resolve
from xadbench.generator.generation import generate
from xadbench.generator.oracle.network_density import NetworkDensity
from xadbench.generator.recipe import Recipe, load_recipe, recipe_names
from xadbench.generator.simulation import build_network


@pytest.fixture
def recipe():
    numbers = Recipe.model_validate(
        {
            "name": "small",
            "rows": 3000,
            "anomaly_ratio": 0.3,
            "graph": {"nodes": 8, "edges": 12},
            "noise": [{"family": "normal"}],
            "anomalies": ["local"],
        }
    )
    local = Local().model_copy(update={"strength": Calibrated(oracle_auc=0.9)})
    return numbers.model_copy(update={"anomalies": (local, Global(strength=1.5))})


def logistic(middle):
    """An AUC that rises with the log of the strength and is 0.75 at `middle`."""
    return lambda strength: 0.5 + 0.5 / (1 + middle / strength)


def test_candidates_rise_and_have_three_significant_digits():
    assert list(CANDIDATES) == sorted(set(CANDIDATES))
    assert all(candidate == float(f"{candidate:.3g}") for candidate in CANDIDATES)
    assert (CANDIDATES[0], CANDIDATES[-1]) == (0.01, 99.9)


@pytest.mark.parametrize("middle", [0.0123, 0.5, 1.0, 3.141, 97.0])
def test_the_least_strength_that_reaches_the_target_is_found(middle):
    expected = min(strength for strength in CANDIDATES if logistic(middle)(strength) >= 0.75)
    assert find_strength(logistic(middle), 0.75) == (expected, logistic(middle)(expected))


def test_few_strengths_are_tried():
    tried = []
    find_strength(lambda strength: tried.append(strength) or logistic(3.141)(strength), 0.75)
    assert len(tried) <= 20
    assert len(set(tried)) == len(tried)


def test_an_auc_that_falls_at_first_is_followed_to_where_it_rises():
    found, _ = find_strength(lambda strength: 0.6 + 0.2 * (strength - 0.5) ** 2, 0.64)
    assert found == 0.948  # 0.5 + sqrt(0.2), rounded up


@pytest.mark.parametrize(("middle", "nearest"), [(1e4, 99.9), (1e-5, 0.01)])
def test_a_target_out_of_reach_gets_what_comes_nearest(middle, nearest):
    assert find_strength(logistic(middle), 0.75) == (nearest, logistic(middle)(nearest))


def test_the_auc_is_that_of_the_metric():
    rng = np.random.default_rng(0)
    scores, y = rng.integers(0, 9, 200).astype(float), rng.random(200) < 0.3
    assert auc(scores, y) == pytest.approx(auc_roc(scores, y))


def test_calibrated_anomalies_have_the_auc_on_a_table_of_their_own(recipe):
    resolved, _ = resolve(recipe, seed=1)
    table = generate(resolved, seed=1)
    scores = NetworkDensity(build_network(resolved, 1)).decision_function(table.X)
    chosen = table.kind != 2
    assert auc(scores[chosen], table.y[chosen]) == pytest.approx(0.9, abs=0.03)


def test_numbers_stay_as_they_are_and_nothing_else_changes(recipe):
    resolved, _ = resolve(recipe, seed=1)
    strength = resolved.anomalies[0].strength
    assert isinstance(strength, float)
    assert resolved.anomalies[1] == recipe.anomalies[1]
    assert resolved.model_copy(update={"anomalies": recipe.anomalies}) == recipe
    assert resolve(resolved, seed=1) == (resolved, ())


def test_other_kinds_rows_and_ratios_do_not_change_the_strength(recipe):
    other = recipe.model_copy(update={"anomalies": recipe.anomalies[:1], "rows": 500, "anomaly_ratio": 0.1})
    assert resolve(other, seed=1)[1] == resolve(recipe, seed=1)[1]


def test_the_provenance_holds_target_strength_and_what_was_reached(recipe, monkeypatch):
    monkeypatch.setattr(calibrate, "_oracle_auc", lambda *_: 0.6)
    resolve.cache_clear()
    table = generate(recipe, seed=1)
    resolve.cache_clear()
    reached = {"kind": "local", "strength": 0.01, "target": 0.9, "reached": 0.6}
    assert table.provenance["calibration"] == [reached]


NARROW = [name for name in recipe_names() if "d1000" not in name]


@pytest.mark.parametrize("seed", [pytest.param(i, marks=pytest.mark.claims) for i in range(50)])
@pytest.mark.parametrize("name", NARROW)
def test_every_seed_of_a_shipped_recipe_can_be_made(name, seed):
    table = generate(load_recipe(name), seed)
    assert table.mask[table.y].any(axis=1).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [6, 7, 10, 19])
def test_a_seed_whose_goal_is_out_of_reach_is_made_and_says_so(seed):
    found = generate(load_recipe("contextual-d10"), seed).provenance["calibration"]
    assert [one["kind"] for one in found] == ["local", "additive", "multiplicative"]
    assert all(0.5 < one["reached"] <= 1 for one in found)


def test_a_strength_hangs_on_pairs_of_rows_and_not_on_last_bits():
    scores, y = stats.norm.rvs(size=500, random_state=0), np.arange(500) < 100
    shaken = scores * (1 + np.random.default_rng(0).choice([-1, 1], 500) * 1e-12)
    assert auc(scores, y) == auc(shaken, y)
