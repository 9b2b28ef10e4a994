"""A detector whose scores look inverted is asked about; a trial without a value has no score."""

import warnings

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor

from xadbench.datasets import standardise
from xadbench.evaluation import score_explainer
from xadbench.evaluation.metrics.detection import inversion_hint
from xadbench.evaluation.results.frame import flatten
from xadbench.evaluation.results.inverted import inversion_hints
from xadbench.evaluation.results.leaderboard import leaderboard, missing_scores
from xadbench.evaluation.runs.runner import run_suite
from xadbench.evaluation.suite.spec import Suite
from xadbench.generator import generate

CODE = """
import numpy as np
class Inverted:
    def fit(self, X):
        self.centre = X.mean(axis=0)
        return self
    def decision_function(self, X):
        return -np.abs(X - self.centre).max(axis=1)
"""


@pytest.fixture
def records(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(CODE)
    parts = {"detectors": ("gaussian", "mine.py:Inverted"), "explainers": ("z_score",)}
    suite = Suite(name="s", tables=({"recipe": "table2-d10-5", "rows": 300},), **parts)
    return run_suite(suite, tmp_path / "run", in_process=True)


def test_a_run_asks_about_inverted_scores_and_about_no_others(records):
    (hint,) = inversion_hints(flatten(records))
    assert hint.startswith("Inverted has an AUC-ROC of 0.")
    assert "inverted?" in hint
    assert "table2-d10-5, seed 0" in hint


def test_a_trial_without_a_value_has_no_score(records):
    board = leaderboard(records, "detected")
    trials = board.set_index(["detector", "explainer"])["trials"]
    assert trials["gaussian", "z_score"] == "1/1"
    assert trials["Inverted", "z_score"] == "0/1"
    assert [line for line in missing_scores(board) if line.startswith("z_score on Inverted: 0/1 trials: no ")]


def test_scikit_learns_lof_is_asked_about():
    table = standardise(generate("table2-d10-5", seed=0))
    detector = LocalOutlierFactor(novelty=True).fit(table.X)
    with pytest.warns(UserWarning, match=r"LocalOutlierFactor .*inverted\?"):
        score_explainer("z_score", detector, table)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score_explainer("z_score", "iforest", table)


def test_what_is_not_known_is_not_asked_about():
    assert inversion_hint("d", np.nan, np.nan) is None
    assert inversion_hint("d", 0.4, 1.0) is None
    assert "0.390" in inversion_hint("d", 0.39, 5.0)
    assert "no anomaly" in inversion_hint("d", 0.6, 0.0)
