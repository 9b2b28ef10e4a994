"""The paper's detectors on real data, beside its published figures."""

import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from xadbench.datasets import load_adbench, resize, standardise
from xadbench.datasets.streams import stream
from xadbench.dsil import DSIL, DTE

pytestmark = pytest.mark.slow

TOLERANCE = 0.06
# AUC-ROC, mean and standard deviation: Vincent et al. 2025, table I.
PUBLISHED = {
    ("WBC", "unsupervised"): (0.87, 0.03),
    ("WBC", "fixed"): (0.99, 0.00),
    ("breastw", "unsupervised"): (0.92, 0.01),
    ("breastw", "fixed"): (0.99, 0.00),
    ("vertebral", "unsupervised"): (0.41, 0.05),
    ("vertebral", "fixed"): (0.35, 0.02),
}
DETECTORS = {"unsupervised": DTE(random_state=0), "fixed": DSIL(DTE(), retention="fixed", random_state=0)}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize(("dataset", "training"), sorted(PUBLISHED))
def test_auc_lands_near_the_paper(dataset, training, adbench_folder):
    table = standardise(resize(load_adbench(dataset, adbench_folder), stream(0, "resize")))
    detector = clone(DETECTORS[training]).fit(table.X)
    auc = roc_auc_score(table.y, detector.decision_function(table.X))
    mean, std = PUBLISHED[dataset, training]
    assert mean - std - TOLERANCE <= auc <= mean + std + TOLERANCE
