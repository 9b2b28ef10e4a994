"""How fast our explainers are, as ratios of CPU times inside one run, on one thread."""

import time

import numpy as np
import pytest
import torch

from xadbench.datasets import standardise
from xadbench.dsil import DDPM, DTE, DiffusionPerturbation, Repair
from xadbench.dsil.diffusion.noise_schedule import NoiseSchedule
from xadbench.evaluation.components.protocols import missing
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import EXPLAINERS, KernelSHAP, make_explainer
from xadbench.evaluation.metrics import metered
from xadbench.generator import generate, load_recipe
from xadbench.generator.recipe import with_rows

pytestmark = pytest.mark.bench

N, D, NODES, STEPS, BATCH = 250, 100, 16, 200, 100
MANY, FEW = 240, 12
SHARE = 50  # the loop takes a 50th of the features; its time goes with their number


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def rows(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def detector(d):
    return DTE(epochs=2).fit(rows(2000, d))


def loop_over_steps(scored, X, features):
    """The published way: a call of the scorer for each feature, step and batch of 100 rows."""
    rng, sigma = np.random.default_rng(0), NoiseSchedule().sigma[:: 400 // STEPS]
    attributions = np.empty((len(X), len(features)))
    for start in range(0, len(X), BATCH):
        batch = X[start : start + BATCH]
        own = scored.decision_function(batch)
        for i, feature in enumerate(features):
            moves = []
            for s in sigma:
                moved = batch.copy()
                moved[:, feature] += s * rng.standard_normal()
                moves.append(np.abs(scored.decision_function(moved) - own))
            attributions[start : start + BATCH, i] = np.mean(moves, axis=0)
    return attributions


def test_diffusion_perturbation_beats_a_loop_over_steps(ratio):
    scored, X = detector(D), rows(N, D, 1)
    explainer = DiffusionPerturbation(n_nodes=NODES).fit(scored, X)
    times = ratio(
        lambda: loop_over_steps(scored, X, range(D // SHARE)),
        lambda: explainer.explain(X),
        clock=time.process_time,
    )
    assert SHARE * times >= 20


def test_diffusion_perturbation_costs_little_more_than_its_hidden_layers(ratio):
    scored, X = detector(D), rows(N, D, 1)
    explainer = DiffusionPerturbation(n_nodes=NODES).fit(scored, X)
    _, *hidden = scored.network_.layers
    activations = torch.rand(1024, 256)

    @torch.no_grad()
    def bare():
        for _ in range(N * D * NODES // len(activations)):
            x = activations
            for layer in hidden:
                x = x @ layer.weight.T

    assert ratio(lambda: explainer.explain(X), bare, clock=time.process_time) <= 1.6


@pytest.mark.parametrize("recipe", ["contextual-d10", "contextual-d30", "contextual-d100"])
def test_repair_costs_less_than_a_tenth_of_kernel_shap(ratio, recipe):
    table = standardise(generate(with_rows(load_recipe(recipe), 5000), seed=0))
    scored = DTE(epochs=20).fit(table.X)
    flagged = table.X[np.argsort(-scored.decision_scores_)[:MANY]]
    repair, shap = (explainer.fit(scored, table.X) for explainer in (Repair(), KernelSHAP()))
    few = flagged[:: MANY // FEW]  # KernelSHAP goes row by row; repair takes rows together
    times = ratio(lambda: repair.explain(flagged), lambda: shap.explain(few), clock=time.process_time)
    assert times * FEW / MANY <= 0.1


ROW_BY_ROW = 2  # rows for explainers that take seconds a row, and one row after the other
SLOW = {
    *("kernel_shap", "kernel_shap_default", "permutation_shap", "sampling_shap", "leverage_shap"),
    *("shapley_sampling", "captum_kernel_shap", "captum_lime", "lime", "conditional_occlusion"),
    *("diffusion_mean", "diffusion_max", "diffusion_weighted_mean", "counterfactual"),
}
LEFT_OUT = {
    "exact_shapley": "takes 12 features at most",
    "surprise_boosting": "fits a boosting for each of a thousand features: many minutes",
}


@pytest.mark.parametrize("name", sorted(EXPLAINERS.keys() - LEFT_OUT))
def test_a_thousand_rows_of_a_thousand_features_are_explained_in_two_gibibytes(wide, name):
    X, detectors = wide
    explainer = make_explainer(name, random_state=0)
    able = next(detector for detector in detectors if missing(explainer, detector) is None)
    with metered() as cost:
        explainer.fit(able, background=X).explain(X[:ROW_BY_ROW] if name in SLOW else X)
    assert cost.peak_bytes < 2 * 2**30


@pytest.fixture(scope="module")
def wide():
    X = rows(1000, 1000)
    forest = make_detector("iforest", random_state=0)
    return X, [DTE(epochs=1).fit(X), forest.fit(X), DDPM(epochs=1).fit(X)]
