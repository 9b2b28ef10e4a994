"""What every registered detector must keep, whatever it is."""

from functools import cache, partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone

from xadbench.datasets.common.arrays import FloatArray
from xadbench.evaluation.components.protocols import VersionedDetector
from xadbench.evaluation.conformance.detectors import Subject
from xadbench.evaluation.conformance.testing import DetectorContract
from xadbench.evaluation.detectors import DETECTORS, make_detector

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

every = pytest.mark.parametrize("name", sorted(DETECTORS))


def frozen(X: FloatArray) -> FloatArray:
    X.flags.writeable = False
    return X


TRAINING = frozen(np.random.default_rng(0).standard_normal((200, 4)))
FAR = 20
FEW = 15  # epochs, where it is not looked at what was learnt
ROWS = frozen(np.vstack([np.random.default_rng(1).standard_normal((FAR, 4)), np.full((1, 4), 8.0)]))


def made(name: str, random_state: int = 0, most_epochs: int = 60) -> VersionedDetector:
    params = QUICK.get(name, {})
    epochs = {"epochs": min(params["epochs"], most_epochs)} if "epochs" in params else {}
    return make_detector(name, random_state=random_state, **params | epochs)


@cache
def fitted(name: str, most_epochs: int = 60) -> VersionedDetector:
    return made(name, most_epochs=most_epochs).fit(TRAINING)


@cache
def scores(name: str, most_epochs: int = 60) -> FloatArray:
    return frozen(fitted(name, most_epochs).decision_function(ROWS))


@every
def test_each_row_has_a_finite_score_and_a_far_one_the_highest(name: str) -> None:
    assert scores(name).shape == (len(ROWS),)
    assert scores(name).dtype == np.float64
    assert np.isfinite(scores(name)).all()
    assert scores(name)[FAR] == scores(name).max()  # dte_non_parametric by its mode has ties at the last step


@cache
def subject_of(name: str) -> Subject:
    """What is checked, once a detector: each check fits one or two more."""
    return Subject(partial(made, name, most_epochs=FEW), TestRegistered.tolerance)


class TestRegistered(DetectorContract):
    tolerance = 1e-6  # float32 rounds by the batch

    @pytest.fixture(autouse=True, params=sorted(DETECTORS))
    def _named(self, request):
        self.name = request.param

    def make(self, random_state):
        return subject_of(self.name).make(random_state)

    def subject(self):
        return subject_of(self.name)


@every
def test_a_clone_is_unfitted_and_learns_the_same(name: str) -> None:
    detector = fitted(name, FEW)
    copied = clone(detector)
    assert repr(copied.get_params()) == repr(detector.get_params())
    assert_array_equal(copied.fit(TRAINING).decision_function(ROWS), scores(name, FEW))
    assert isinstance(detector.version, int | str)


RANDOM = sorted({"dte", "ddpm", "dsil_fixed", "dte_weighted", "iforest", "loda", "vae", "deep_svdd"})


@pytest.mark.parametrize("name", RANDOM)
def test_another_seed_gives_other_scores(name: str) -> None:
    other = made(name, random_state=1, most_epochs=FEW).fit(TRAINING)
    assert (other.decision_function(ROWS) != scores(name, FEW)).any()


@every
def test_its_threads_are_given_back(name: str) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        made(name, most_epochs=4).fit(TRAINING).decision_function(ROWS)
        after = torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
    assert after == 2
