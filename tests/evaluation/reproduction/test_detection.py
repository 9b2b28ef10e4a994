"""The suites of the detection experiments, and their records as cells."""

import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.reproduction.detection_experiments import detection_cells, detection_suite
from xadbench.evaluation.reproduction.methods import (
    PAPER,
    RATIOS,
    find_method,
    retention_methods,
    unsupervised_methods,
)
from xadbench.evaluation.results.record import RECORD_VERSION, as_trial
from xadbench.evaluation.suite.expand import combinations


def trials(*names, datasets=("wine", "glass")):
    suite = detection_suite("table1", datasets, [find_method(name) for name in names], (0, 1))
    return [
        (table.title, table.semi_supervised, seed, detector.label, [one.name for one in explainers])
        for table, seed, detector, explainers in combinations(suite)
    ]


def test_each_method_runs_on_the_tables_that_it_is_trained_for_and_nothing_explains():
    found = trials("dsil_fixed", "dte_unsupervised", "dte_semi_supervised")
    assert found[:6] == [
        ("wine", False, 0, "dsil_fixed", ["none"]),
        ("wine", False, 0, "dte", ["none"]),
        ("wine", False, 1, "dsil_fixed", ["none"]),
        ("wine", False, 1, "dte", ["none"]),
        ("wine, semi-supervised", True, 0, "dte", ["none"]),
        ("wine, semi-supervised", True, 1, "dte", ["none"]),
    ]
    assert len(found) == 12


def test_semi_supervised_methods_alone_need_no_other_table():
    assert {is_semi for _, is_semi, *_ in trials("dte_semi_supervised")} == {True}


def record(table, detector, status="ok", reason=None, **reported):
    parts = {
        "version": RECORD_VERSION,
        "key": "k",
        "table": {"label": table, "content_hash": None},
        "detector": {"name": detector, "label": detector, "params": {}} | reported,
        "explainer": {"name": "none", "label": "none"},
        "seed": 3,
        "status": status,
        "reason": reason,
    }
    return as_trial(parts, "a record")


def test_a_cell_has_the_published_name_of_its_method_and_the_quality_of_its_detector():
    quality = {"quality": {"auc_roc": 0.9, "f1_at_n": 0.5}, "iteration_auc_roc": [0.8, 0.9]}
    trained, untrained, failed = detection_cells(
        [
            record("wine, semi-supervised", "dte", **quality),
            record("wine", "dte"),
            record("wine", "knn", "error", "no"),
        ]
    )
    assert trained == {
        "dataset": "wine", "method": "dte_semi_supervised", "params": {}, "seed": 3, "status": "ok",
        "reason": None, "auc_roc": 0.9, "f1_at_n": 0.5, "iteration_auc_roc": [0.8, 0.9],
    }  # fmt: skip
    assert (untrained["method"], untrained["iteration_auc_roc"]) == ("dte_unsupervised", None)
    assert (failed["method"], failed["status"], failed["reason"]) == ("knn", "error", "no")


def test_every_method_of_the_paper_is_known():
    assert all(find_method(name) == method for name, method in PAPER.items())
    assert {method.detector.name for method in PAPER.values()} <= DETECTORS.keys()
    with pytest.raises(InputError, match=r"unknown method 'dsil'.*; known: .*dsil_fixed"):
        find_method("dsil")


def test_a_detector_is_a_method_under_its_own_name_unless_the_paper_has_another():
    assert find_method("knn").name == "knn"
    assert find_method("dte") == PAPER["dte_unsupervised"]


def test_unsupervised_methods_are_all_detectors_once():
    detectors = [method.detector.name for method in unsupervised_methods()]
    assert sorted(detectors) == sorted(DETECTORS)


def test_the_retention_study_has_a_method_for_each_ratio():
    assert [method.detector.params for method in retention_methods()] == [{"r": ratio} for ratio in RATIOS]
