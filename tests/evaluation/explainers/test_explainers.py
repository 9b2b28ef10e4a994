"""What only one explainer does; tests/contracts/test_explainers.py has what all do."""

import logging
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.evaluation.components.protocols import missing
from xadbench.evaluation.components.registry import identity
from xadbench.evaluation.explainers import (
    FunctionExplainer,
    KernelSHAP,
    Random,
    Saliency,
    ZScore,
    as_explainer,
    make_explainer,
)


class Score:
    """A detector around a function of NumPy arrays."""

    def __init__(self, function: Any) -> None:
        self.decision_function = function


class Square:
    """The score sum of squares, by torch too."""

    def decision_function(self, X: FloatArray) -> FloatArray:
        return (X**2).sum(axis=1)

    def score_tensor(self, x: torch.Tensor) -> torch.Tensor:
        return (x**2).sum(dim=1)


def standard_normal(*shape: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("n_features", [1, 2, 3, 12])
def test_shapley_values_of_a_linear_score_are_known(n_features: int) -> None:
    weights, background = np.arange(n_features) - 1.0, standard_normal(80, n_features)
    X = standard_normal(4, n_features, seed=1)
    values = KernelSHAP().fit(Score(lambda X: X @ weights), background).explain(X)
    assert_allclose(values, weights * (X - background.mean(axis=0)), atol=1e-8)


def test_shapley_values_sum_to_the_score_above_the_background() -> None:
    def score(X: FloatArray) -> FloatArray:
        return np.abs(X).max(axis=1)

    background, X = standard_normal(60, 6), standard_normal(5, 6, seed=1)
    values = KernelSHAP().fit(Score(score), background).explain(X)
    assert_allclose(values.sum(axis=1), score(X) - score(background).mean(), atol=1e-8)


@pytest.mark.parametrize(("n_rows", "expected"), [(40, 40), (1000, 100), (5000, 100), (6000, 120)])
def test_the_background_is_100_rows_or_2_percent(
    n_rows: int, expected: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[FloatArray] = []

    def score(X: FloatArray) -> FloatArray:
        seen.append(X)
        return X.sum(axis=1)

    rows = standard_normal(n_rows, 4)
    KernelSHAP().fit(Score(score), rows).explain(rows[:1])
    assert len(seen[0]) == len(np.unique(seen[0], axis=0)) == expected
    assert np.isin(seen[0], rows).all()
    assert len(seen[-1]) == 8 * expected  # alpha d coalitions
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("shap").level == logging.NOTSET


def test_another_seed_is_another_background_and_other_coalitions() -> None:
    def score(X: FloatArray) -> FloatArray:
        return X.prod(axis=1)

    rows = standard_normal(50, 8)  # fewer than 100: the background differs by its order at most
    explainers = [KernelSHAP(random_state=seed).fit(Score(score), rows) for seed in (0, 1)]
    first, second = (explainer.explain(rows[:2]) for explainer in explainers)
    assert (np.abs(first - second) > 1e-3).any()


def test_a_singular_system_is_solved_in_silence() -> None:
    rows = standard_normal(50, 12)
    explainer = KernelSHAP(alpha=1.0).fit(Score(lambda X: X.max(axis=1)), rows)
    assert np.isfinite(explainer.explain(rows[:20])).all()


def test_fewer_coalitions_than_features_are_refused() -> None:
    with pytest.raises(InputError, match=r"alpha is 0.5, expected a finite number of at least 1"):
        KernelSHAP(alpha=0.5)


def test_saliency_is_the_absolute_gradient_even_where_gradients_are_off() -> None:
    X = standard_normal(3, 4)
    explainer = Saliency().fit(Square(), X)
    with torch.no_grad():
        assert_allclose(explainer.explain(X), np.abs(2 * X), rtol=1e-12)


def test_saliency_refuses_a_detector_without_gradient() -> None:
    with pytest.raises(InputError, match=r"needs a gradient, and the detector has no score_tensor"):
        Saliency().fit(Score(len), standard_normal(3, 2))


def test_z_scores_by_hand() -> None:
    background = np.array([[0.0, 10.0], [4.0, 30.0]])
    values = ZScore().fit(Score(len), background).explain(np.array([[2.0, 0.0], [-2.0, 30.0]]))
    assert_allclose(values, [[0.0, 2.0], [2.0, 1.0]])


def test_a_constant_column_is_ranked_for_any_change_and_for_nothing_else() -> None:
    background = np.column_stack([np.full(7, 0.1), standard_normal(7)])  # the mean of seven 0.1 is not 0.1
    values = ZScore().fit(Score(len), background).explain(np.array([[0.1, 50.0], [0.1001, 50.0]]))
    assert values[0, 0] == 0
    assert np.isfinite(values).all()
    assert_array_equal(values.argmax(axis=1), [1, 0])


def test_random_attribution_is_uniform_and_another_for_each_row_and_seed() -> None:
    X = standard_normal(500, 6)
    first, second = (Random(seed).fit(Score(len), X).explain(X) for seed in (0, 1))
    assert len(np.unique(np.stack([first, second]))) == 2 * X.size
    assert 0 <= first.min() < first.max() < 1
    assert_allclose(first.mean(axis=0), 0.5, atol=0.07)


def test_random_attribution_does_not_see_the_sign_of_zero() -> None:
    explainer = Random().fit(Score(len), np.zeros((1, 2)))
    assert_array_equal(explainer.explain(np.array([[0.0, 1.0]])), explainer.explain(np.array([[-0.0, 1.0]])))


def test_a_plain_function_is_an_explainer() -> None:
    def attributions(detector: Score, background: FloatArray, X: FloatArray) -> FloatArray:
        return X - background.mean(axis=0) + detector.decision_function(X)[:, None]

    explainer = as_explainer(attributions).fit(Score(lambda X: X.sum(axis=1)), background=np.ones((2, 3)))
    assert_array_equal(explainer.explain(np.full((1, 3), 2.0)), np.full((1, 3), 7.0))
    assert missing(explainer, Score(len)) is None
    assert as_explainer(explainer) is explainer


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Random, "Random is a class, expected"),
        (Square(), "Square is not an explainer: it lacks fit, explain"),
    ],
)
def test_what_is_no_explainer_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_explainer(wrong)


def test_a_requirement_that_nothing_provides_is_named() -> None:
    explainer = FunctionExplainer(lambda *_: np.zeros((1, 1)), requires=frozenset({"magic"}))
    with pytest.raises(InputError, match=r"unknown requirement 'magic'.*; known: .*gradient"):
        missing(explainer, Score(len))


@pytest.mark.parametrize("made", [KernelSHAP, Saliency, ZScore, Random])
def test_rows_that_do_not_fit_the_background_are_refused(made: Any) -> None:
    explainer = made().fit(Square(), standard_normal(9, 3))
    with pytest.raises(InputError, match=r"X has 4 column\(s\), expected 3 as at fit"):
        explainer.explain(np.zeros((2, 4)))
    with pytest.raises(InputError, match="NaN or infinite"):
        explainer.explain(np.full((1, 3), np.nan))


def test_an_unknown_explainer_or_parameter_is_told_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"unknown explainer 'lemon'.*; known: .*diffusion_max, .*z_score"):
        make_explainer("lemon", random_state=0)
    with pytest.raises(
        InputError, match=r"unknown parameter of explainer kernel_shap: 'beta'.*; known: alpha"
    ):
        make_explainer("kernel_shap", random_state=0, beta=1)
    with pytest.raises(InputError, match=r"unknown parameter of explainer diffusion_mean: 'aggregate'"):
        make_explainer("diffusion_mean", random_state=0, aggregate="max")


def test_a_default_is_part_of_an_explainers_identity() -> None:
    explainer = make_explainer("kernel_shap", random_state=3)
    assert identity("kernel_shap", explainer)["kernel_shap"]["params"] == {"alpha": 2.0, "random_state": 3}


LIBRARIES = {
    "shap": ["kernel_shap", "permutation_shap", "sampling_shap", "gradient_shap", "deep_shap", "tree_shap"],
    "captum": ["integrated_gradients", "captum_kernel_shap"],
    "lime": ["lime"],
}


@pytest.mark.parametrize(("library", "name"), [(key, name) for key in LIBRARIES for name in LIBRARIES[key]])
def test_the_library_that_does_the_work_is_part_of_the_identity(library: str, name: str) -> None:
    (made,) = identity(name, make_explainer(name, random_state=0)).values()
    assert made["library"] == f"{library} {version(library)}"


@pytest.mark.parametrize("library", ["no-such-library", ""])
def test_a_library_that_is_not_installed_is_refused(library: str) -> None:
    explainer = make_explainer("random", random_state=0)
    explainer.library = library
    with pytest.raises(InputError, match=f"library of Random is '{library}'; expected an installed"):
        identity("random", explainer)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(InputError, match="random_state is -1, expected an integer of at least 0"):
        make_explainer("random", random_state=-1)


def test_an_explainer_is_made_from_an_object_too() -> None:
    def far(detector: Any, background: FloatArray, X: FloatArray, power: int = 1) -> FloatArray:
        return np.abs(X - background.mean(axis=0)) ** power

    X = np.array([[-1.0, 2.0]])
    made = make_explainer(far, random_state=0, power=2).fit(None, np.zeros((1, 2)))
    assert_array_equal(made.explain(X), X**2)
    given = ZScore()
    made = make_explainer(given, random_state=0)
    assert type(made) is ZScore
    assert made is not given
    assert type(make_explainer(ZScore, random_state=0)) is ZScore
    with pytest.raises(InputError, match=r"unknown parameter of explainer .*:far: 'depth'.*; known: power"):
        make_explainer(far, random_state=0, depth=1)
    with pytest.raises(InputError, match="int is not an explainer"):
        make_explainer(int, random_state=0)
