"""Each check finds the fault that it is for, and only that; an explainer without a fault passes all."""

import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from xadbench.datasets import InputError
from xadbench.evaluation.conformance.checks import findings, run
from xadbench.evaluation.conformance.explainers import CHECKS, Subject
from xadbench.evaluation.conformance.testing import ExplainerContract
from xadbench.evaluation.explainers import FunctionExplainer


class Good:
    """Deviations from the mean, each the more responsible the more the score would fall without it."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, detector, background):
        self.detector, self.mean = detector, background.mean(axis=0)
        return self

    def explain(self, X):
        return np.vstack([self.of_row(row) for row in X])

    def of_row(self, row):
        without = np.where(np.eye(len(row), dtype=bool), self.mean, row)
        fall = self.detector.decision_function(row[None]) - self.detector.decision_function(without)
        return fall + 1e-9 * np.random.default_rng(self.random_state).random(len(row))


class NoFit(Good):
    fit = None


class ForgetsToReturnItself(Good):
    def fit(self, detector, background):
        super().fit(detector, background)


class Transposed(Good):
    def explain(self, X):
        return super().explain(X).T


class Words(Good):
    def explain(self, X):
        return super().explain(X).astype(str)


class Raises(Good):
    def explain(self, X):
        raise KeyError("some\nthing")


class Exits(Good):
    def explain(self, X):
        sys.exit("nothing to explain")


class Panics(Good):
    def explain(self, X):
        raise BaseException("out of cheese")  # noqa: TRY002  # as Rust's panics do


class GoesElsewhere(Good):
    def explain(self, X):
        os.chdir("/")
        return super().explain(X)


class NotANumber(Good):
    def explain(self, X):
        return np.log(super().explain(X) * 0)


class DividesByZero(Good):
    def fit(self, detector, background):
        self.std = background.std(axis=0)
        return super().fit(detector, background)

    def explain(self, X):
        return super().explain(X) / self.std


class Centres(Good):
    def explain(self, X):
        attributions = super().explain(X)
        X -= self.mean
        return attributions


class CentresTheBackground(Good):
    def fit(self, detector, background):
        super().fit(detector, background)
        background -= self.mean
        return self


class FitsTheDetectorAgain(Good):
    def fit(self, detector, background):
        return super().fit(detector.fit(background), background)


class ForgetsTheDetectors(Good):
    def fit(self, detector, background):
        super().fit(detector, background)
        for name in vars(detector):
            setattr(detector, name, None)
        return self


class Unseeded(Good):
    def of_row(self, row):
        return super().of_row(row) + np.random.default_rng().random(len(row))


class OneGenerator(Good):
    def fit(self, detector, background):
        self.rng = np.random.default_rng(self.random_state)
        return super().fit(detector, background)

    def explain(self, X):
        return super().explain(X) + self.rng.random(X.shape)


class ByTheBatch(Good):
    def explain(self, X):
        return super().explain(X) + X.mean(axis=0)


class ByThePlace(Good):
    def explain(self, X):
        return super().explain(X) + np.arange(len(X))[:, None]


class ByTheMemory(Good):
    def explain(self, X):
        return super().explain(X) + X.ravel(order="K").reshape(X.shape)


class SeedsNumpy(Good):
    def fit(self, detector, background):
        np.random.seed(self.random_state)  # noqa: NPY002  # the fault
        return super().fit(detector, background)


class DrawsFromPython(Good):
    def explain(self, X):
        random.random()  # noqa: S311  # as above
        return super().explain(X)


class SeedsTorch(Good):
    def explain(self, X):
        torch.manual_seed(self.random_state)
        return super().explain(X)


class ByTheGlobalState(Good):
    def explain(self, X):
        return super().explain(X) + np.random.get_state()[2]  # noqa: NPY002  # as above


class Negative(Good):
    def explain(self, X):
        return -super().explain(X)


class NeedsMore(Good):
    def fit(self, detector, background):
        self.score = detector.score_tensor
        return super().fit(detector, background)


class NeedsLetters(Good):
    requires = "gradient"


class NeedsMagic(Good):
    requires = frozenset({"magic"})


FAULTS = {
    NoFit: ("shape", "NoFit has no fit"),
    ForgetsToReturnItself: ("shape", "fit returned NoneType, which has no explain"),
    Transposed: ("shape", "explain returned shape (5, 17) for rows of shape (17, 5)"),
    Words: ("shape", "explain returned values of type <U"),
    Raises: ("shape", f"it raised KeyError: 'some\\nthing' ({__file__}, line "),
    Exits: ("shape", f"it raised SystemExit: nothing to explain ({__file__}, line "),
    Panics: ("shape", f"it raised BaseException: out of cheese ({__file__}, line "),
    NotANumber: ("finite", "85 of 85 values are NaN or infinite"),
    DividesByZero: ("finite", "values are NaN or infinite where a feature of the background is constant"),
    Centres: ("input", "it changed the rows"),
    CentresTheBackground: ("input", "it changed the background"),
    FitsTheDetectorAgain: ("input", "it changed the detector"),
    ForgetsTheDetectors: ("input", "it changed the detector"),
    Unseeded: ("seed", "a second call of explain gives other attributions: row 0, feature 0 gets "),
    OneGenerator: ("seed", "a second call of explain gives other attributions"),
    ByTheBatch: ("rows", "a row by itself: row 0, feature 0 gets "),
    ByThePlace: ("rows", "in another order of the rows: row "),
    ByTheMemory: ("layout", "row 0, feature 1 gets "),
    SeedsNumpy: ("global state", "the global random state of numpy, or seeds it"),
    DrawsFromPython: ("global state", "the global random state of Python, or seeds it"),
    SeedsTorch: ("global state", "the global random state of torch, or seeds it"),
    ByTheGlobalState: ("own randomness", "row 0, feature 0 gets "),
    Negative: (
        "ground_truth",
        "but in 17 of 17 rows another gets the highest attribution; first: row 0, feature ",
    ),
    NeedsMore: ("requires", "it raised AttributeError: 'Plain' object has no attribute 'score_tensor'"),
    NeedsLetters: (
        "requires",
        "it raised InputError: requires is 'gradient', expected a set of names, such as",
    ),
    NeedsMagic: ("requires", "it raised InputError: unknown requirement 'magic'; known: forest, gradient"),
}
# What follows from some faults beside: draws that nothing repeats show in every comparison.
ALSO = {
    Unseeded: {"rows", "layout", "own randomness"},
    OneGenerator: {"rows", "layout"},
    ByTheMemory: {"rows"},
    NotANumber: {"ground_truth"},
}


def found(cls):
    with np.errstate(all="ignore"):
        outcome = [finding for _, finding in findings(Subject(lambda seed: cls(random_state=seed)), CHECKS)]
    return {finding.check: finding for finding in outcome if finding}


def test_an_explainer_without_a_fault_passes_each_check():
    outcome = list(findings(Subject(lambda seed: Good(random_state=seed), tolerance=0), CHECKS))
    assert [(check.name, finding) for check, finding in outcome] == [(check.name, None) for check in CHECKS]


@pytest.mark.parametrize("cls", FAULTS, ids=lambda cls: cls.__name__)
def test_a_fault_is_found_by_its_check_alone(cls):
    name, problem = FAULTS[cls]
    outcome = found(cls)
    assert outcome.keys() - ALSO.get(cls, set()) == {name}
    assert problem in outcome[name].problem
    assert str(outcome[name]).endswith(f"\n  To fix: {outcome[name].remedy}")


def test_complex_attribution_is_refused_and_not_cut():
    explainer = FunctionExplainer(lambda detector, background, X: X * 1j).fit(None, background=None)
    with pytest.raises(InputError, match=r"returns.*complex number"):
        explainer.explain(np.ones((1, 2)))


def test_a_class_of_tests_without_make_is_refused_and_an_exemption_from_no_check():
    with pytest.raises(TypeError, match="TestMine has no method make"):
        type("TestMine", (ExplainerContract,), {"maek": lambda self, random_state: Good()})
    type("Shared", (ExplainerContract,), {"tolerance": 0.0})  # for others to inherit
    with pytest.raises(TypeError, match="Mine is exempt from row; known: shape, finite"):
        type("Mine", (ExplainerContract,), {"exempt": {"row": "why not"}})


def test_every_check_has_a_fault_that_it_finds():
    assert {name for name, _ in FAULTS.values()} == {check.name for check in CHECKS}


@pytest.mark.parametrize("cls", [Good, SeedsNumpy, DrawsFromPython, SeedsTorch])
def test_to_check_leaves_no_trace_in_the_global_states(cls):
    np.random.random(3)  # noqa: NPY002  # a state that no seed leaves
    torch.rand(3)
    legacy, own, of_torch = np.random.get_state(), random.getstate(), torch.get_rng_state()  # noqa: NPY002
    found(cls)
    assert str(np.random.get_state()) == str(legacy)  # noqa: NPY002  # as above
    assert random.getstate() == own
    assert torch.equal(torch.get_rng_state(), of_torch)


def test_a_check_goes_back_to_the_folder_that_it_began_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not found(GoesElsewhere)
    assert Path.cwd() == tmp_path


def test_a_rounding_is_tolerated_and_more_is_not():
    by_name = {check.name: check for check in CHECKS}

    def attributions(detector, background, X):
        return Good().fit(detector, background).explain(X) + 1e-6 * len(X)

    def subject(**settings):
        return Subject(lambda seed: FunctionExplainer(attributions), **settings)

    assert run(by_name["rows"], subject()) is None
    assert "a row by itself" in run(by_name["rows"], subject(tolerance=1e-8)).problem
