"""Each check finds the fault that it is for, and only that; a detector without a fault passes all."""

import random
from types import MappingProxyType

import numpy as np
import pytest
import torch

from xadbench.evaluation.conformance.checks import findings, run
from xadbench.evaluation.conformance.detectors import CHECKS, Subject
from xadbench.evaluation.conformance.testing import DetectorContract


class Good:
    """Distance from the mean, in standard deviations."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, X):
        self.mean, self.std = X.mean(axis=0), np.maximum(X.std(axis=0), 1e-9)
        return self

    def decision_function(self, X):
        jitter = np.random.default_rng(self.random_state).random()
        return np.square((X - self.mean) / self.std).sum(axis=1) + 1e-9 * jitter


class NoFit(Good):
    fit = None


class FitsAnother(Good):
    def fit(self, X):
        return Good().fit(X)


class Column(Good):
    def decision_function(self, X):
        return super().decision_function(X)[:, None]


class Words(Good):
    def decision_function(self, X):
        return super().decision_function(X).astype(str)


class Raises(Good):
    def fit(self, X):
        raise KeyError("some\nthing")


class NotANumber(Good):
    def decision_function(self, X):
        return super().decision_function(X) + np.log(-np.ones(len(X)))


class Overflows(Good):
    def decision_function(self, X):
        return np.exp(3 * super().decision_function(X))


class DividesByZero(Good):
    def fit(self, X):
        super().fit(X)
        self.std = X.std(axis=0)
        return self


class Centres(Good):
    def decision_function(self, X):
        scores = super().decision_function(X)
        X -= self.mean
        return scores


class CentresTheTrainingRows(Good):
    def fit(self, X):
        super().fit(X)
        X -= self.mean
        return self


class UnseededScores(Good):
    def decision_function(self, X):
        return super().decision_function(X) + np.random.default_rng().random(len(X))


class UnseededFit(Good):
    def fit(self, X):
        super().fit(X)
        self.mean = self.mean + np.random.default_rng().random()
        return self


class ByTheBatch(Good):
    def decision_function(self, X):
        return super().decision_function(X) + X.mean()


class ByThePlace(Good):
    def decision_function(self, X):
        return super().decision_function(X) + np.arange(len(X))


class ByTheMemory(Good):
    def decision_function(self, X):
        return super().decision_function(X) + X.ravel(order="K")[: len(X)]


class SeedsNumpy(Good):
    def fit(self, X):
        np.random.seed(self.random_state)  # noqa: NPY002  # the fault
        return super().fit(X)


class DrawsFromPython(Good):
    def decision_function(self, X):
        random.random()  # noqa: S311  # as above
        return super().decision_function(X)


class SeedsTorch(Good):
    def fit(self, X):
        torch.manual_seed(self.random_state)
        return super().fit(X)


class ByTheGlobalState(Good):
    def fit(self, X):
        super().fit(X)
        self.mean = self.mean + 1e-6 * np.random.get_state()[2]  # noqa: NPY002  # as above
        return self


class Negative(Good):
    def decision_function(self, X):
        return -super().decision_function(X)


class Constant(Good):
    def decision_function(self, X):
        super().decision_function(X)
        return np.ones(len(X))


class TakesOtherColumns(Good):
    def decision_function(self, X):
        n = X.shape[1]
        return np.square((X - self.mean[:n]) / self.std[:n]).sum(axis=1)


class ScoresUnfitted(Good):
    mean, std = 0.0, 1.0

    def decision_function(self, X):
        assert not np.ndim(self.mean) or X.shape[1] == len(self.mean)
        return super().decision_function(X)


FAULTS = {
    NoFit: ("shape", "NoFit has no fit"),
    FitsAnother: ("shape", "fit returned Good in place of the detector itself"),
    Column: ("shape", "decision_function returned shape (17, 1) for rows of shape (17, 5)"),
    Words: ("shape", "decision_function returned values of type <U"),
    Raises: ("shape", f"it raised KeyError: 'some\\nthing' ({__file__}, line "),
    NotANumber: ("finite", "17 of 17 scores are NaN or infinite"),
    Overflows: ("finite", "4 of 4 scores are NaN or infinite of rows far off"),
    DividesByZero: ("finite", "scores are NaN or infinite where a feature of the training rows is constant"),
    Centres: ("input", "it changed the rows to score"),
    CentresTheTrainingRows: ("input", "it changed the training rows"),
    UnseededScores: ("seed", "a second call of decision_function gives other scores: row 0 gets "),
    UnseededFit: ("seed", "another detector of the same random_state gives other scores: row 0 gets "),
    ByTheBatch: ("rows", "a row by itself: row 0 gets "),
    ByThePlace: ("rows", "in another order of the rows: row "),
    ByTheMemory: ("layout", "row 1 gets "),
    SeedsNumpy: ("global state", "the global random state of numpy, or seeds it"),
    DrawsFromPython: ("global state", "the global random state of Python, or seeds it"),
    SeedsTorch: ("global state", "the global random state of torch, or seeds it"),
    ByTheGlobalState: ("own randomness", "row 0 gets "),
    Negative: ("anomalies", "4 of 4 rows that lie 8 standard deviations off in each feature score no higher"),
    Constant: ("anomalies", "4 of 4 rows"),
    TakesOtherColumns: ("bad input", "rows of 4 features are scored by a detector fitted to 5"),
    ScoresUnfitted: ("bad input", "rows are scored before fit"),
}
# What follows from some faults beside: draws that nothing repeats show in every comparison.
ALSO = {
    NotANumber: {"seed", "rows", "layout", "own randomness", "anomalies"},
    UnseededScores: {"rows", "layout", "own randomness"},
    UnseededFit: {"own randomness"},
    ByTheMemory: {"rows"},
}


def found(cls):
    with np.errstate(all="ignore"):
        outcome = [finding for _, finding in findings(Subject(lambda seed: cls(random_state=seed)), CHECKS)]
    return {finding.check: finding for finding in outcome if finding}


class TestGood(DetectorContract):
    tolerance = 0.0

    def make(self, random_state):
        return Good(random_state=random_state)


@pytest.mark.parametrize("cls", FAULTS, ids=lambda cls: cls.__name__)
def test_a_fault_is_found_by_its_check_alone(cls):
    name, problem = FAULTS[cls]
    outcome = found(cls)
    assert outcome.keys() - ALSO.get(cls, set()) == {name}
    assert problem in outcome[name].problem


def test_every_check_has_a_fault_that_it_finds():
    assert {name for name, _ in FAULTS.values()} == {check.name for check in CHECKS}


def test_a_rounding_is_tolerated_and_more_is_not():
    (by_row,) = (check for check in CHECKS if check.name == "rows")

    class Rounds(Good):
        def decision_function(self, X):
            return super().decision_function(X) + 1e-6 * len(X)

    assert run(by_row, Subject(Rounds)) is None
    assert "a row by itself" in run(by_row, Subject(Rounds, tolerance=1e-8)).problem


def test_the_class_fails_with_the_remedy_and_skips_what_is_exempt():
    class Falls(DetectorContract):
        exempt = MappingProxyType({"rows": "why not"})

        def make(self, random_state):
            return Negative(random_state)

    by_name = {check.name: check for check in CHECKS}
    with pytest.raises(pytest.fail.Exception, match=r"(?s)^anomalies: 4 of 4 .*To fix: higher must mean"):
        Falls().test_contract(by_name["anomalies"])
    with pytest.raises(pytest.skip.Exception, match="why not"):
        Falls().test_contract(by_name["rows"])
