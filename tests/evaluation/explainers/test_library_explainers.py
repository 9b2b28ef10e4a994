"""Explainers of shap, Captum and lime: where they agree, and the libraries' traps."""

import tracemalloc
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError, NotApplicable
from xadbench.dsil import DSIL, DTE, Gaussian
from xadbench.evaluation.components.protocols import missing
from xadbench.evaluation.explainers import Captum, Lime, PermutationSHAP, make_explainer
from xadbench.evaluation.explainers.rows import seeded_numpy
from xadbench.evaluation.explainers.shapley import background_sample, load_shap

D = 5
WEIGHTS = np.array([2.0, -1.0, 0.5, 0.0, -3.0])


def standard_normal(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape)


BACKGROUND, ROWS = standard_normal(60, D), standard_normal(4, D, seed=1)


class Score:
    """A detector around a function of arrays that counts the rows it is asked for."""

    def __init__(self, function: Callable[[FloatArray], FloatArray]) -> None:
        self.function, self.n_rows = function, 0

    def decision_function(self, X: FloatArray) -> FloatArray:
        self.n_rows += len(X)
        return self.function(X)


class Torch:
    """A detector around a torch module of rows (n, d) to (n,)."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module.double().requires_grad_(requires_grad=False)

    def decision_function(self, X: FloatArray) -> FloatArray:
        return self.module(torch.from_numpy(X)).numpy()

    def score_tensor(self, x: torch.Tensor) -> torch.Tensor:
        return self.module(x.double())

    def score_module(self) -> torch.nn.Module:
        return self.module


def linear_score() -> Torch:
    layer = torch.nn.utils.skip_init(torch.nn.Linear, D, 1)
    layer.weight.data, layer.bias.data = torch.tensor(WEIGHTS[None]), torch.tensor([7.0])
    return Torch(torch.nn.Sequential(layer, torch.nn.Flatten(0)))


def fitted(name: str, detector: Any, background: FloatArray = BACKGROUND, **params: Any) -> Any:
    return make_explainer(name, random_state=0, **params).fit(detector, background)


@pytest.fixture(scope="module")
def dte() -> DTE:
    return DTE(epochs=30, learning_rate=1e-3).fit(standard_normal(300, D))


@pytest.mark.parametrize(
    ("name", "atol"),
    [
        ("kernel_shap", 1e-8),
        ("kernel_shap_default", 1e-8),
        ("permutation_shap", 1e-8),
        (
            "sampling_shap",
            1.0,
        ),  # 100 draws of a background row, and the error of one feature spreads to others
        ("gradient_shap", 1.0),  # 200 draws of a background row
        ("captum_gradient_shap", 1.0),
        ("deep_shap", 1e-8),
        ("integrated_gradients", 1e-8),
        ("deep_lift", 1e-8),
        ("feature_ablation", 1e-8),
        ("shapley_sampling", 1e-5),  # single precision
        ("captum_kernel_shap", 1e-4),  # the same, through a system of large weights
        ("captum_lime", 0.5),  # shrunk by the ridge
    ],
)
def test_on_a_linear_score_all_give_weight_times_distance_from_the_mean(name: str, atol: float) -> None:
    values = fitted(name, linear_score()).explain(ROWS)
    assert_allclose(values, WEIGHTS * (ROWS - BACKGROUND.mean(axis=0)), atol=atol)


@pytest.mark.parametrize(
    ("name", "n_samples", "expected"),
    [("sampling_shap", 20_000, 0.05), ("gradient_shap", 4000, 0.2), ("captum_gradient_shap", 20_000, 0.1)],
)
def test_samplers_converge(name: str, n_samples: int, expected: float) -> None:
    values = fitted(name, linear_score(), n_samples=n_samples).explain(ROWS[:1])
    assert_allclose(values, WEIGHTS * (ROWS[:1] - BACKGROUND.mean(axis=0)), atol=expected)


@pytest.mark.parametrize("name", ["permutation_shap", "sampling_shap", "deep_shap", "kernel_shap_default"])
def test_attribution_sums_to_the_score_above_the_backgrounds(name: str, dte: DTE) -> None:
    values = fitted(name, dte).explain(3 * ROWS)
    excess = dte.decision_function(3 * ROWS) - dte.decision_function(BACKGROUND).mean()
    assert_allclose(values.sum(axis=1), excess, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "params", "atol"),
    [
        ("deep_lift", {}, 1e-4),
        ("integrated_gradients", {"n_samples": 200}, 3e-2),  # the slope jumps at every ReLU
        ("shapley_sampling", {}, 1e-4),
        ("captum_kernel_shap", {}, 1e-3),
    ],
)
def test_attribution_sums_to_the_score_above_that_of_the_mean(
    name: str, params: dict[str, Any], atol: float, dte: DTE
) -> None:
    values = fitted(name, dte, **params).explain(3 * ROWS)
    excess = dte.decision_function(3 * ROWS) - dte.decision_function(BACKGROUND.mean(axis=0)[None])
    assert np.abs(excess).min() > 0.3
    assert_allclose(values.sum(axis=1), excess, atol=atol)


@pytest.mark.parametrize(
    ("name", "params", "reference", "atol"),
    [
        ("deep_shap", {}, "deep_lift", 1e-9),
        ("gradient_shap", {"n_samples": 2000}, "integrated_gradients", 0.06),
        ("captum_gradient_shap", {"n_samples": 4000}, "integrated_gradients", 0.06),
        ("shapley_sampling", {"n_samples": 200}, "kernel_shap_default", 0.04),
        ("captum_kernel_shap", {"n_samples": 1000}, "kernel_shap_default", 0.04),
        ("permutation_shap", {"n_permutations": 200}, "kernel_shap_default", 0.04),
        ("sampling_shap", {"n_samples": 400}, "kernel_shap_default", 0.04),
    ],
)
def test_against_a_single_row_methods_of_one_family_agree(
    name: str, params: dict[str, Any], reference: str, atol: float, dte: DTE
) -> None:
    background, rows = BACKGROUND[:1], 3 * ROWS[:2]
    values = fitted(name, dte, background, **params).explain(rows)
    assert np.ptp(values, axis=1).min() > 0.3
    assert_allclose(values, fitted(reference, dte, background).explain(rows), atol=atol)


@pytest.mark.parametrize("n_rows", [60, 6000])
def test_all_average_over_the_same_background(n_rows: int) -> None:
    rows = standard_normal(n_rows, D)
    mean = background_sample(rows, 0).mean(axis=0)
    for name in ("kernel_shap", "permutation_shap", "deep_shap"):
        values = fitted(name, linear_score(), rows).explain(ROWS)
        assert_allclose(values, WEIGHTS * (ROWS - mean), atol=1e-8)


def test_one_permutation_is_exact_for_pairs_of_features() -> None:
    pairs = Score(lambda X: X[:, 0] * X[:, 1] - X[:, 2] * X[:, 3] + np.exp(X[:, 4]))
    exact = fitted("kernel_shap_default", pairs).explain(ROWS)
    assert_allclose(fitted("permutation_shap", pairs).explain(ROWS), exact, atol=1e-8)


def test_shaps_kernel_default_keeps_ten_features_and_ours_all() -> None:
    weights, background = np.arange(1.0, 16.0), standard_normal(20, 15)
    row = standard_normal(1, 15, seed=1)
    detector = Score(lambda X: X @ weights)
    with seeded_numpy(0):
        theirs = (
            load_shap().KernelExplainer(detector.decision_function, background).shap_values(row, silent=True)
        )
    assert np.count_nonzero(theirs) == 10
    ours = fitted("kernel_shap_default", detector, background).explain(row)
    assert_allclose(ours, weights * (row - background.mean(axis=0)), atol=1e-8)


def test_permutations_work_beyond_the_500_evaluations_of_shaps_default() -> None:
    background, row = standard_normal(3, 260), standard_normal(1, 260, seed=1)
    explainer = PermutationSHAP().fit(Score(lambda X: X.sum(axis=1)), background)
    assert_allclose(explainer.explain(row), row - background.mean(axis=0), atol=1e-8)
    with pytest.raises(ValueError, match="max_evals=500 is too low"):
        explainer._explainer(row, silent=True)


@pytest.mark.parametrize("name", ["kernel_shap", "kernel_shap_default", "permutation_shap"])
def test_memory_does_not_grow_with_coalitions_times_background(name: str) -> None:
    d = 300
    explainer = fitted(name, Score(lambda X: X.sum(axis=1)), standard_normal(100, d))
    row = standard_normal(1, d, seed=1)
    narrow = fitted(name, Score(lambda X: X.sum(axis=1)), standard_normal(2, 3))
    narrow.explain(standard_normal(1, 3))  # shap imports and compiles at first
    tracemalloc.start()
    explainer.explain(row)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6 < 2 * d * 100 * d * 8  # all rows at once would take 144 MB or more


def test_kernel_shap_is_what_shap_makes_of_the_rows_themselves() -> None:
    detector = Score(lambda X: np.sin(X).sum(axis=1) + X[:, 0] * X[:, 1] * X[:, 2])
    background = BACKGROUND.copy()
    background[:, 3] = ROWS[0, 3]  # plays with no row but the others
    explainer = fitted("kernel_shap", detector, background, alpha=3.0)
    library = load_shap().KernelExplainer(
        detector.decision_function, background_sample(background, random_state=0)
    )
    for row in ROWS:
        with seeded_numpy(explainer._seed):
            expected = library.shap_values(row[None], nsamples=3 * D, l1_reg=False, silent=True)[0]
        assert_allclose(explainer.explain(row[None])[0], expected, atol=1e-9)
    assert explainer.explain(ROWS[:1])[0, 3] == 0


def test_lime_negates_the_slopes_of_its_label_0_and_keeps_ten_by_default() -> None:
    weights, background = np.arange(1.0, 13.0), standard_normal(50, 12)
    detector = Score(lambda X: X @ weights)
    explainer = Lime(signed=True).fit(detector, background)
    with seeded_numpy(0):
        theirs = explainer._explainer.explain_instance(background[0], detector.function)
    assert (np.array([slope for _, slope in theirs.local_exp[0]]) < 0).all()
    theirs_by_default = type(explainer._explainer)(background, mode="regression", discretize_continuous=False)
    with seeded_numpy(0):
        kept = theirs_by_default.explain_instance(background[0], detector.function).local_exp[1]
    assert len(kept) == 10
    assert_allclose(explainer.explain(background[:2]), [weights * background.std(axis=0)] * 2, rtol=0.01)


def test_lime_names_by_magnitude_unless_asked_for_signs() -> None:
    signed, plain = (
        Lime(signed=signed).fit(linear_score(), BACKGROUND).explain(ROWS) for signed in (True, False)
    )
    assert (signed[:, 4] < 0).all()
    assert_array_equal(plain, np.abs(signed))


def test_lime_draws_around_the_row_and_not_around_the_background() -> None:
    bowl = Score(lambda X: (X**2).sum(axis=1))
    attributions = Lime().fit(bowl, BACKGROUND).explain(np.full((1, D), 4.0))
    assert_allclose(attributions[0], 8 * BACKGROUND.std(axis=0), rtol=0.15)


def test_saliency_is_captums(dte: DTE) -> None:
    captum = import_module("captum.attr")
    theirs = captum.Saliency(dte.score_tensor).attribute(torch.tensor(ROWS, requires_grad=True))
    assert_allclose(fitted("saliency", dte).explain(ROWS), theirs.numpy(), rtol=1e-5)


def test_captums_lime_keeps_its_order_whatever_the_unit_of_the_score() -> None:
    large, small = (
        fitted("captum_lime", Score(lambda X, unit=unit: unit * X @ WEIGHTS)).explain(ROWS)
        for unit in (1.0, 1e-4)
    )
    assert_allclose(1e4 * small, large, rtol=1e-3, atol=1e-4)


def test_the_number_of_coalitions_is_finite() -> None:
    with pytest.raises(InputError, match="alpha is inf, expected a finite number"):
        make_explainer("kernel_shap", random_state=0, alpha=float("inf"))


def test_captums_kernel_refuses_a_single_feature() -> None:
    with pytest.raises(NotApplicable, match="captum_kernel_shap needs at least 2 features, found 1"):
        fitted("captum_kernel_shap", Score(lambda X: X[:, 0]), BACKGROUND[:, :1])


def test_smooth_grad_takes_the_magnitude_after_the_mean() -> None:
    bowl = Torch(torch.nn.Sequential(torch.nn.PReLU(init=-1.0), torch.nn.Linear(D, 1), torch.nn.Flatten(0)))
    slopes = np.abs(bowl.module[1].weight.numpy())
    values = fitted("smooth_grad", bowl, n_samples=2000).explain(np.stack([np.zeros(D), np.full(D, -9.0)]))
    assert (values[0] < 0.1 * slopes).all()
    assert_allclose(values[1], slopes[0], rtol=1e-6)


def test_the_signed_gradient_is_the_slope() -> None:
    assert_allclose(fitted("gradient", linear_score()).explain(ROWS), [WEIGHTS] * 4)
    assert_allclose(fitted("input_x_gradient", linear_score()).explain(ROWS), WEIGHTS * ROWS)


@pytest.mark.parametrize(
    "name", ["gradient", "gradient_shap", "deep_shap", "deep_lift", "integrated_gradients", "smooth_grad"]
)
def test_gradients_are_taken_even_where_they_are_off(name: str, dte: DTE) -> None:
    expected = fitted(name, dte).explain(ROWS)
    with torch.no_grad():
        assert_array_equal(fitted(name, dte).explain(ROWS), expected)


class TwoLayers(torch.nn.Module):
    """A network whose activations are one module, or one each."""

    def __init__(self, *, reused: bool) -> None:
        super().__init__()
        weights = np.random.default_rng(3)
        self.layers = torch.nn.ModuleList(
            torch.nn.utils.skip_init(torch.nn.Linear, wide, narrow, bias=False)
            for wide, narrow in [(D, 8), (8, 8), (8, 1)]
        )
        for layer in self.layers:
            layer.weight.data = torch.tensor(weights.standard_normal(layer.weight.shape))
        first, second = torch.nn.ReLU(), torch.nn.ReLU()
        self.activations = torch.nn.ModuleList([first, first if reused else second])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer, activation in zip(self.layers, self.activations, strict=False):
            x = activation(layer(x))
        return self.layers[2](x)[:, 0]


def test_deep_values_add_up_only_if_no_activation_is_reused() -> None:
    for reused in (False, True):
        detector = Torch(TwoLayers(reused=reused))
        values = fitted("deep_shap", detector).explain(3 * ROWS)
        excess = detector.decision_function(3 * ROWS) - detector.decision_function(BACKGROUND).mean()
        assert (np.abs(values.sum(axis=1) - excess).max() > 1) == reused
    with pytest.raises(RuntimeError, match="used more than once"):
        fitted("deep_lift", detector).explain(ROWS)


def test_a_module_is_the_score_with_every_activation_once(dte: DTE) -> None:
    before = torch.get_rng_state()
    module = dte.score_module()
    assert torch.equal(torch.get_rng_state(), before)
    assert_allclose(module(torch.from_numpy(3 * ROWS)).numpy(), dte.decision_function(3 * ROWS), rtol=1e-5)
    leaves = [part for part in module.modules() if not list(part.children())]
    assert len(leaves) == len(set(leaves)) == 10
    module[0].weight.data += 1
    assert_allclose(
        dte.score_module()(torch.from_numpy(ROWS)).numpy(), dte.decision_function(ROWS), rtol=1e-5
    )


def test_detectors_without_a_module_are_skipped() -> None:
    explainer = make_explainer("deep_lift", random_state=0)
    reason = "the explainer needs a module, and the detector has no score_module"
    assert missing(explainer, DTE(method="inverse_gamma")) == reason
    assert missing(explainer, DSIL(Gaussian())) == reason
    assert missing(explainer, DSIL(DTE())) is None


def test_explaining_does_not_change_the_detector(dte: DTE) -> None:
    before = dte.decision_function(ROWS)
    for name in ("deep_lift", "deep_shap", "gradient_shap", "smooth_grad"):
        fitted(name, dte).explain(ROWS)
    assert_array_equal(dte.decision_function(ROWS), before)


@pytest.mark.parametrize("name", ["deep_lift", "deep_shap", "gradient_shap", "captum_gradient_shap", "lime"])
def test_on_a_network_too_a_row_is_ranked_alike_in_any_batch(name: str, dte: DTE) -> None:
    explainer = fitted(name, dte)
    assert_array_equal(explainer.explain(ROWS)[2:3], explainer.explain(ROWS[2:3]))


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("kernel_shap", 2 * D * 60),
        ("kernel_shap_default", (2**D - 2) * 60),
        ("permutation_shap", (2 * D + 1) * 60),
        ("sampling_shap", 2 * 100 * D),
        ("feature_ablation", D),
        ("shapley_sampling", 25 * D),
        ("captum_kernel_shap", 20 * D),
        ("captum_lime", 20 * D),
        ("lime", 5000),
    ],
)
def test_the_cost_is_as_documented(name: str, cost: int) -> None:
    detector = Score(lambda X: X @ WEIGHTS)
    explainer = fitted(name, detector)
    detector.n_rows = 0
    explainer.explain(ROWS)
    assert cost <= detector.n_rows / len(ROWS) <= cost + 3


def test_a_number_of_samples_is_accepted_where_it_means_something() -> None:
    assert make_explainer("integrated_gradients", random_state=0, n_samples=9).n_samples == 9
    with pytest.raises(InputError, match="unknown parameter of explainer deep_lift: 'n_samples'"):
        make_explainer("deep_lift", random_state=0, n_samples=9)
    with pytest.raises(InputError, match="unknown parameter of explainer kernel_shap_default: 'alpha'"):
        make_explainer("kernel_shap_default", random_state=0, alpha=3.0)
    with pytest.raises(InputError, match="n_samples is 0, expected an integer of at least 1"):
        Captum("shapley_sampling", n_samples=0)
    with pytest.raises(InputError, match=r"unknown method 'saliency'.*; known: captum_gradient_shap"):
        Captum("saliency")
