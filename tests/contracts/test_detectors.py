"""What every registered detector must keep, whatever it is."""

import random
from functools import cache

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from xadbench.datasets.arrays import FloatArray
from xadbench.evaluation.detectors import DETECTORS, VersionedDetector, make_detector

QUICK = {
    "dte": {"epochs": 60},
    "dte_inverse_gamma": {"epochs": 60},
    "ddpm": {"epochs": 4, "reverse_steps": 20},
    "dsil_fixed": {"epochs": 60, "iterations": 2},
    "dsil_cosine": {"epochs": 60, "iterations": 2},
    "dsil_exponential": {"epochs": 60, "iterations": 2},
    "dte_weighted": {"epochs": 60, "rounds": 2},
    "iforest": {"n_estimators": 20},
    "deep_svdd": {"epochs": 5},
    "vae": {"epoch_num": 5},
}
# Their scores of a row depend on the rows beside it.
BY_BATCH = {
    "vae": "draws noise for one row after the other",
}
BY_ORDER = {"vae"}

every = pytest.mark.parametrize("name", sorted(DETECTORS))


def frozen(X: FloatArray) -> FloatArray:
    X.flags.writeable = False
    return X


TRAINING = frozen(np.random.default_rng(0).standard_normal((200, 4)))
FAR = 20
ROWS = frozen(np.vstack([np.random.default_rng(1).standard_normal((FAR, 4)), np.full((1, 4), 8.0)]))


def made(name: str, random_state: int = 0) -> VersionedDetector:
    return make_detector(name, random_state=random_state, **QUICK.get(name, {}))


@cache
def fitted(name: str) -> VersionedDetector:
    return made(name).fit(TRAINING)


@cache
def scores(name: str) -> FloatArray:
    return frozen(fitted(name).decision_function(ROWS))


@every
def test_each_row_has_a_finite_score_and_a_far_one_the_highest(name: str) -> None:
    assert scores(name).shape == (len(ROWS),)
    assert scores(name).dtype == np.float64
    assert np.isfinite(scores(name)).all()
    assert scores(name)[FAR] == scores(name).max()  # dte_non_parametric by its mode has ties at the last step


@every
def test_same_seed_same_scores_whatever_the_global_random_state(name: str) -> None:
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002  # somebody else's
    torch.manual_seed(7)
    again = made(name).fit(TRAINING)
    assert_array_equal(again.decision_function(ROWS), scores(name))
    assert_array_equal(again.decision_function(ROWS), scores(name))


@every
def test_global_random_states_and_input_stay_untouched(name: str) -> None:
    training, rows = np.array(TRAINING), np.array(ROWS)
    np.random.random(3)  # noqa: NPY002  # a state that no detector would leave behind by itself
    torch.rand(3)
    python, legacy, torch_ = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    made(name).fit(training).decision_function(rows)
    assert random.getstate() == python
    for before, after in zip(legacy, np.random.get_state(), strict=True):  # noqa: NPY002  # the thing tested
        assert_array_equal(before, after)
    assert torch.equal(torch_, torch.get_rng_state())
    assert_array_equal(training, TRAINING)
    assert_array_equal(rows, ROWS)


@pytest.mark.parametrize("name", sorted(DETECTORS.keys() - BY_ORDER))
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    order = np.random.default_rng(2).permutation(len(ROWS))
    assert_allclose(fitted(name).decision_function(ROWS[order]), scores(name)[order], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(DETECTORS.keys() - BY_BATCH.keys()))
def test_a_row_alone_scores_as_among_others(name: str) -> None:
    alone = np.concatenate([fitted(name).decision_function(row[None]) for row in ROWS])
    assert_allclose(alone, scores(name), rtol=1e-5, atol=1e-6)


@every
def test_a_clone_is_unfitted_and_learns_the_same(name: str) -> None:
    detector = fitted(name)
    copied = clone(detector)
    assert repr(copied.get_params()) == repr(detector.get_params())
    assert_array_equal(copied.fit(TRAINING).decision_function(ROWS), scores(name))
    assert isinstance(detector.version, int | str)


RANDOM = sorted({"dte", "ddpm", "dsil_fixed", "dte_weighted", "iforest", "loda", "vae", "deep_svdd"})


@pytest.mark.parametrize("name", RANDOM)
def test_another_seed_gives_other_scores(name: str) -> None:
    assert (made(name, random_state=1).fit(TRAINING).decision_function(ROWS) != scores(name)).any()


@pytest.mark.parametrize("name", sorted(DETECTORS.keys() - {"hbos"}))
def test_other_columns_than_at_fit_are_refused(name: str) -> None:  # by PyOD's HBOS they are not
    with pytest.raises(ValueError, match=r"features|column|dimension|shape"):
        fitted(name).decision_function(ROWS[:, 1:])
