"""A fitted detector whose scores are known, and trials of a stand-in."""

import numpy as np
import pytest

from xadbench.datasets import LabelledTable
from xadbench.evaluation.suite.spec import Component, TableSpec
from xadbench.evaluation.suite.tables import load_source
from xadbench.evaluation.trial.evaluate import score_attributions
from xadbench.evaluation.trial.fit import Fitted, fit
from xadbench.evaluation.trial.run import run_trial
from xadbench.evaluation.trial.scopes import RANKED

RECIPE = TableSpec(recipe="table2-d10-5", rows=200)


@pytest.fixture
def fitted():
    """Four rows: a true anomaly that is flagged, one that is missed, a false positive, a normal row."""
    mask = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0], [0, 0, 0]], dtype=bool)
    table = LabelledTable(X=np.arange(12.0).reshape(4, 3), y=mask.any(axis=1), mask=mask)
    return Fitted(detector=None, table=table, scores=np.array([4.0, 1.0, 3.0, 2.0]), seconds=0.0)


def _scores_of(fitted, attributions):
    return score_attributions(np.asarray(attributions, dtype=float), np.array([0, 1, 2]), fitted)


def _trial(explainer, spec=RECIPE, measures=RANKED, **params):
    """Run one trial of the stand-in detector."""
    source = load_source(spec, 0)
    fitted = fit(source, Component(name="distance"))
    return run_trial(fitted, Component(name=explainer, params=params), source, measures)


@pytest.fixture
def scores_of():
    return _scores_of


@pytest.fixture
def trial():
    return _trial
