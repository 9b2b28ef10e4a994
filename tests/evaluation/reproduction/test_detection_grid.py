import json
import warnings

import numpy as np
import pytest

from xadbench.datasets import InputError, LabelledTable
from xadbench.evaluation import detectors
from xadbench.evaluation.components.registry import Entry, factory_of
from xadbench.evaluation.reproduction.detection_grid import Cell, run_grid
from xadbench.evaluation.reproduction.methods import PAPER, Method, find_method


def load(name):
    """Return 1,000 rows, so that nothing is resampled; the last hundred are anomalous and lie apart."""
    X = np.random.default_rng(len(name)).standard_normal((1_000, 3))
    y = np.arange(1_000) >= 900
    X[y] += 2
    return LabelledTable(X=X, y=y)


def cells(*methods, seeds=(0, 1)):
    return [Cell("wine", method, seed) for method in methods for seed in seeds]


DISTANCE = Method("distance", "distance")


def test_a_cell_holds_the_measures_of_its_scores(tmp_path, stand_ins):
    (record,) = run_grid(cells(DISTANCE, seeds=[3]), tmp_path, load=load)
    written = json.loads((tmp_path / "cells" / "wine-distance-3.json").read_text())
    assert written == json.loads(json.dumps(record))
    assert (record["dataset"], record["method"], record["seed"], record["status"]) == (
        "wine",
        "distance",
        3,
        "ok",
    )
    assert 0.5 < record["f1_at_n"] < record["auc_roc"] < 1
    assert record["iteration_auc_roc"] is None
    assert record["seconds"] > 0


def test_finished_cells_are_read_not_repeated(tmp_path, stand_ins):
    told = []
    first = run_grid(cells(DISTANCE), tmp_path, load=load)
    second = run_grid(
        cells(DISTANCE, seeds=[0, 1, 2]),
        tmp_path,
        load=load,
        on_cell=lambda record, is_new: told.append(is_new),
    )
    assert stand_ins.Distance.n_fits == 3
    assert told == [False, False, True]
    assert [record["auc_roc"] for record in second[:2]] == [record["auc_roc"] for record in first]


def test_another_version_of_a_detector_computes_its_cells_again(tmp_path, stand_ins, monkeypatch):
    run_grid(cells(DISTANCE), tmp_path, load=load)
    monkeypatch.setattr(stand_ins.Distance, "version", 2)
    run_grid(cells(DISTANCE), tmp_path, load=load)
    assert stand_ins.Distance.n_fits == 4


def test_a_parameter_and_a_part_inside_belong_to_the_identity(monkeypatch):
    from xadbench.dsil import DTE  # noqa: PLC0415  # torch takes a second to import

    before = find_method("dsil_fixed").identity(0)
    assert find_method("dsil_fixed").identity(1) != before
    assert Method("dsil_fixed", "dsil_fixed", {"r": 0.6}).identity(0) != before
    assert Method("dsil_fixed", "dsil_fixed", {"epochs": 399}).identity(0) != before
    monkeypatch.setattr(DTE, "version", 99)
    assert find_method("dsil_fixed").identity(0) != before


def test_a_failed_cell_is_recorded_and_tried_again(tmp_path):
    def load_but_one(name):
        if name == "glass":
            raise InputError("glass is broken")
        return load(name)

    grid = [Cell("glass", DISTANCE, 0), Cell("wine", DISTANCE, 0)]
    failed, fine = run_grid(grid, tmp_path, load=load_but_one)
    assert (failed["status"], failed["reason"]) == ("error", "InputError: glass is broken")
    assert json.loads((tmp_path / "cells" / "glass-distance-0.json").read_text())["status"] == "error"
    assert fine["status"] == "ok"
    assert [record["status"] for record in run_grid(grid, tmp_path, load=load)] == ["ok", "ok"]


def test_data_that_a_detector_is_not_made_for_are_skipped_for_good(tmp_path):
    def load_two_columns(name):
        table = load(name)
        return LabelledTable(X=table.X[:, :2], y=table.y)

    method = Method(
        "dsil over ig", "dsil_fixed", {"base": "dte_inverse_gamma", "base_params": {"epochs": 30}}
    )
    (record,) = run_grid(cells(method, seeds=[0]), tmp_path, load=load_two_columns)
    assert record["status"] == "skipped"
    assert record["reason"].startswith("X has 2 feature(s), expected at least 3 for method 'inverse_gamma'")
    told = []
    run_grid(cells(method, seeds=[0]), tmp_path, load=load, on_cell=lambda _, is_new: told.append(is_new))
    assert told == [False]


def test_warnings_are_kept_with_the_cell(tmp_path, stand_ins, monkeypatch):
    def warn(self, X):
        for _ in range(3):
            warnings.warn("shaky", RuntimeWarning, stacklevel=1)
        return X[:, 0]

    monkeypatch.setattr(stand_ins.Distance, "decision_function", warn)
    (record,) = run_grid(cells(DISTANCE, seeds=[0]), tmp_path, load=load)
    assert (record["status"], record["warnings"]) == ("ok", ["RuntimeWarning: shaky"])


def test_an_interrupt_leaves_the_finished_cells(tmp_path, stand_ins):
    def interrupt(record, is_new):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_grid(cells(DISTANCE), tmp_path, load=load, on_cell=interrupt)
    assert [path.name for path in (tmp_path / "cells").iterdir()] == ["wine-distance-0.json"]


@pytest.mark.slow  # two processes import torch
def test_workers_change_no_number(tmp_path):
    def load_here(name):  # defined inside, so that it travels to the workers by value
        from xadbench.datasets import load_bundled  # noqa: PLC0415  # as above

        return load_bundled(name)

    grid = [Cell("wine", find_method("pca"), seed) for seed in (0, 1)]
    alone = run_grid(grid, tmp_path / "alone", load=load_here)
    together = run_grid(grid, tmp_path / "together", load=load_here, workers=2)
    assert [record["status"] for record in together] == ["ok", "ok"]
    assert [record["auc_roc"] for record in together] == [record["auc_roc"] for record in alone]


def test_the_scores_of_iterations_become_a_curve(tmp_path):
    method = Method("short", "dsil_fixed", {"epochs": 3, "iterations": 3})
    (record,) = run_grid(cells(method, seeds=[0]), tmp_path, load=load)
    assert len(record["iteration_auc_roc"]) == 3
    assert record["iteration_auc_roc"][-1] == pytest.approx(record["auc_roc"])


def test_a_semi_supervised_method_trains_on_normal_rows_and_is_tested_on_the_others():
    training, test = Method("m", "distance", semi_supervised=True).prepare(load("wine"), 0)
    assert (training.n_rows, test.n_rows) == (450, 550)
    assert not training.y.any()
    np.testing.assert_allclose(training.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(test.X[~test.y].mean(axis=0), 0, atol=0.2)  # the anomalies have no say


def test_every_method_of_the_paper_is_known():
    assert {find_method(name).name for name in PAPER} == set(PAPER)
    assert all(method.detector in detectors.DETECTORS for method in PAPER.values())
    with pytest.raises(InputError, match=r"unknown method 'dsil'; known: .*dsil_fixed"):
        find_method("dsil")


def test_a_detector_is_a_method_of_its_own(monkeypatch, stand_ins):
    monkeypatch.setitem(detectors.DETECTORS, "new", Entry("new", lambda: factory_of(stand_ins.Distance)))
    assert find_method("new") == Method("new", "new")
