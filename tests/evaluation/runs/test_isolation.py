"""What the code of one trial does to its data or its process reaches no other trial."""

import sys

import numpy as np
import pytest

from xadbench.evaluation import run_suite
from xadbench.evaluation.suite.spec import Suite

# Its attributions tell of all that it finds: the state of its process and the background.
NEIGHBOUR = """\
import random, sys, warnings
import numpy as np, torch
def neighbour(detector, background, X):
    warnings.warn("tolerated", DeprecationWarning)
    found = [torch.ones(1) / 3, torch.get_num_threads(), torch.is_grad_enabled()]
    found += [np.random.random(), random.random(), torch.rand(1), torch.get_default_device(), np.geterr()]
    found += [sys.stdout is sys.__stdout__, background.tobytes(), X.tobytes()]
    return np.random.default_rng(list(repr(found).encode())).random(X.shape)
"""
DEEDS = {
    "background": "torch.from_numpy(background).clamp_(-1, 1)",
    "rows": "torch.from_numpy(X).zero_()",
    "errors of NumPy": "np.seterr(all='raise')",
    "gradients": "torch.set_grad_enabled(False)",
    "type": "torch.set_default_dtype(torch.float64)",
    "device": "torch.set_default_device('meta')",
    "threads": "torch.set_num_threads(2)",
    "warnings": "warnings.simplefilter('error')",
    "generators": "np.random.seed(0); torch.manual_seed(0); random.seed(0)",
    "streams": "sys.stdout = sys.stderr",
}
DOES = """\
import random, sys, warnings
import numpy as np, torch
def does(detector, background, X):
    size = np.abs(X)
    {deed}
    return size
"""
AT_IMPORT = """\
import numpy as np, torch
torch.set_default_dtype(torch.float64)
np.seterr(all="raise")
def does(detector, background, X): return np.abs(X)
"""
DETECTOR = """\
import numpy as np, torch
class Clips:
    def fit(self, X):
        torch.from_numpy(X).clamp_(-1, 1)
        np.seterr(all="raise")
        return self
    def decision_function(self, X):
        return np.abs(torch.from_numpy(X).mul_(2).numpy()).sum(axis=1)
"""


pytestmark = pytest.mark.filterwarnings("ignore:tolerated", "ignore:The given NumPy array is not writable")


@pytest.fixture
def scores(code_folder, small_suite, monkeypatch):
    """A function that runs explainers behind each other, and returns each trial's scores by its labels."""
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)

    def of(*explainers, detectors=("distance",)):
        parts = {"detectors": detectors, "explainers": [*explainers], "seeds": (0,), "controls": False}
        suite = Suite.model_validate(small_suite.model_dump() | parts)
        with np.errstate():
            records = run_suite(suite, code_folder / f"run-{len([*code_folder.iterdir()])}")
        assert {one.status for one in records} == {"ok"}, [one.reason for one in records]
        return {(one.detector.label, one.explainer.label): one.scores for one in records}

    (code_folder / "neighbour.py").write_text(NEIGHBOUR)
    return of


@pytest.mark.parametrize("what", DEEDS)
def test_a_neighbour_finds_what_it_would_find_alone(scores, code_folder, what):
    (code_folder / "does.py").write_text(DOES.format(deed=DEEDS[what]))
    alone = scores("neighbour.py:neighbour", "surprise_ridge")
    after = scores("does.py:does", "neighbour.py:neighbour", "surprise_ridge")
    assert {trial: after[trial] for trial in alone} == alone


def test_what_a_module_sets_at_its_import_does_not_last(scores, code_folder):
    (code_folder / "does.py").write_text(AT_IMPORT)
    alone = scores("neighbour.py:neighbour")
    after = scores("neighbour.py:neighbour", "does.py:does")
    assert after["distance", "neighbour"] == alone["distance", "neighbour"]


def test_a_detector_changes_no_rows_but_its_own(scores, code_folder):
    (code_folder / "clips.py").write_text(DETECTOR)
    alone = scores("neighbour.py:neighbour")
    after = scores("neighbour.py:neighbour", detectors=("clips.py:Clips", "distance"))
    assert after["distance", "neighbour"] == alone["distance", "neighbour"]


def test_what_draws_from_the_global_generators_gets_the_same_numbers_again(scores):
    first, again = scores("neighbour.py:neighbour"), scores("neighbour.py:neighbour")
    assert first == again
