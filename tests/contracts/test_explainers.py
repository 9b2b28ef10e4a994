"""What every registered explainer must keep, whatever it is."""

from typing import Self

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.ensemble import IsolationForest

from xadbench.datasets.arrays import FloatArray
from xadbench.evaluation.explainers import EXPLAINERS, Explainer, make_explainer, missing

CHANCE = {"random"}  # blames without looking
ONE_SIDED = {"copod"}  # halves the blame of what lies far out against its feature's skewness
WEIGHTS = np.array([0.5, 0.0, 4.0, 0.1, -0.2])
CULPRIT = 2

every = pytest.mark.parametrize("name", sorted(EXPLAINERS))


def frozen(*shape: int, seed: int) -> FloatArray:
    X = np.random.default_rng(seed).standard_normal(shape)
    X.flags.writeable = False
    return X


BACKGROUND = frozen(300, 5, seed=0)
ROWS = frozen(17, 5, seed=1)


class Linear:
    """The score w x through a matrix product, as a network would, with and without a gradient."""

    def fit(self, X: FloatArray) -> Self:
        return self

    def decision_function(self, X: FloatArray) -> FloatArray:
        return np.maximum(np.asarray(X) @ np.stack([WEIGHTS, -WEIGHTS], axis=1), 0) @ [1.0, -1.0]

    def get_params(self) -> dict[str, object]:
        return {}


class Differentiable(Linear):
    forest_ = IsolationForest(random_state=0).fit(BACKGROUND)  # for explainers that look at nothing else

    def score_tensor(self, x: torch.Tensor) -> torch.Tensor:
        return x @ torch.tensor(WEIGHTS, dtype=x.dtype)

    def reconstruction_error(self, X: FloatArray) -> FloatArray:
        return np.square(np.asarray(X) * WEIGHTS)

    def score_module(self) -> torch.nn.Module:
        return torch.nn.Sequential(linear(WEIGHTS[:, None]), torch.nn.Flatten(0))


class Curved(Differentiable):
    """A small network whose products round differently in batches of different size."""

    first = np.random.default_rng(1).standard_normal((5, 64))
    second = np.random.default_rng(2).standard_normal((64, 64))

    def decision_function(self, X: FloatArray) -> FloatArray:
        return self.score_tensor(torch.tensor(X)).numpy()

    def score_tensor(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.tanh(x.float() @ torch.tensor(self.first).float())
        return torch.tanh(hidden @ torch.tensor(self.second).float()).sum(dim=1).double()

    def score_module(self) -> torch.nn.Module:
        hidden = [linear(self.first), torch.nn.Tanh(), linear(self.second), torch.nn.Tanh()]
        return torch.nn.Sequential(*hidden, linear(np.ones((64, 1))), torch.nn.Flatten(0))


def linear(weights: FloatArray) -> torch.nn.Linear:
    layer = torch.nn.utils.skip_init(torch.nn.Linear, *weights.shape, bias=False, dtype=torch.float64)
    layer.weight.data = torch.tensor(weights.T)
    return layer.requires_grad_(requires_grad=False)


def fitted(name: str, detector: Linear | None = None, random_state: int = 0) -> Explainer:
    explainer = make_explainer(name, random_state=random_state)
    return explainer.fit(detector or Curved(), background=BACKGROUND)


@every
def test_blame_is_finite_and_as_large_as_the_rows(name: str) -> None:
    blame = fitted(name).explain(ROWS)
    assert blame.shape == ROWS.shape
    assert blame.dtype == np.float64
    assert np.isfinite(blame).all()


@every
def test_input_stays_as_it_was(name: str) -> None:
    background, rows = BACKGROUND.copy(), ROWS.copy()
    make_explainer(name, random_state=0).fit(Curved(), background=background).explain(rows)
    assert_array_equal(background, BACKGROUND)
    assert_array_equal(rows, ROWS)


@every
def test_same_seed_same_blame(name: str) -> None:
    explainer = fitted(name)
    assert_array_equal(explainer.explain(ROWS), explainer.explain(ROWS))
    assert_array_equal(explainer.explain(ROWS), fitted(name).explain(ROWS))


@every
def test_blame_does_not_depend_on_the_batch_or_the_order(name: str) -> None:
    explainer = fitted(name)
    together = explainer.explain(ROWS)
    order = np.random.default_rng(2).permutation(len(ROWS))
    assert_array_equal(explainer.explain(ROWS[order]), together[order])
    assert_array_equal(np.vstack([explainer.explain(row[None]) for row in ROWS]), together)


@every
def test_memory_layout_and_an_empty_batch_do_not_matter(name: str) -> None:
    explainer = fitted(name)
    assert_array_equal(explainer.explain(np.asfortranarray(ROWS)), explainer.explain(ROWS))
    assert explainer.explain(ROWS[:0]).shape == (0, 5)


@every
def test_global_random_states_stay_untouched(name: str) -> None:
    np.random.random(3)  # noqa: NPY002  # a state that no explainer would leave behind by itself
    torch.rand(3)
    numpy_before, torch_before = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002  # the thing tested
    fitted(name).explain(ROWS[:3])
    for before, after in zip(numpy_before, np.random.get_state(), strict=True):  # noqa: NPY002  # as above
        assert_array_equal(before, after)
    assert torch.equal(torch_before, torch.get_rng_state())


@every
def test_the_global_random_state_does_not_matter(name: str) -> None:
    explainer = fitted(name)
    blame = explainer.explain(ROWS[:3])
    np.random.random(7)  # noqa: NPY002  # somebody else draws
    torch.rand(7)
    assert_array_equal(explainer.explain(ROWS[:3]), blame)


@pytest.mark.parametrize("name", sorted(set(EXPLAINERS) - CHANCE - ONE_SIDED))
def test_the_culprit_of_a_linear_score_is_found(name: str) -> None:
    rows = np.array(ROWS)
    rows[:, CULPRIT] = 5
    blame = fitted(name, Differentiable()).explain(rows)
    assert_array_equal(blame.argmax(axis=1), CULPRIT)


@every
def test_what_is_missing_is_told(name: str) -> None:
    explainer = make_explainer(name, random_state=0)
    reason = missing(explainer, Linear())
    assert missing(explainer, Differentiable()) is None
    assert (reason is None) == (not explainer.requires)
    if reason is None:
        assert np.isfinite(fitted(name, Linear()).explain(ROWS)).all()


@every
def test_an_entry_describes_itself_and_its_version(name: str) -> None:
    assert 10 < len(EXPLAINERS[name].description) < 80
    assert isinstance(make_explainer(name, random_state=0).version, int)
