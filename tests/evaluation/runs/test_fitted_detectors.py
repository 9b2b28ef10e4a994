import shutil

import numpy as np
import pytest

from xadbench.dsil import DTE
from xadbench.evaluation import run_suite
from xadbench.evaluation.suite.spec import Component

TIMES = {"seconds", "normalised_time", "cost", "elapsed_seconds"}


@pytest.fixture
def on_dte(small_suite):
    dte = Component(name="dte", params={"epochs": 1})
    explainers = (Component(name="diffusion_mean"), Component(name="saliency"))
    return small_suite.model_copy(update={"detectors": (dte,), "explainers": explainers, "seeds": (0,)})


@pytest.fixture
def fits(monkeypatch):
    """A list that grows by an entry with each fit of a DTE."""
    done, fit = [], DTE.fit
    monkeypatch.setattr(DTE, "fit", lambda self, X: [done.append(1), fit(self, X)][1])
    return done


def test_a_detector_is_loaded_for_trials_that_are_run_again_with_the_same_results(on_dte, tmp_path, fits):
    first = run_suite(on_dte, tmp_path)
    assert len(fits) == 1
    for path in (tmp_path / "trials").iterdir():
        path.unlink()
    again = run_suite(on_dte, tmp_path)
    assert len(fits) == 1
    assert [r.detector for r in again] == [r.detector for r in first]  # fit_seconds too
    for one, other in zip(first, again, strict=True):
        assert one.model_dump(exclude=TIMES) == other.model_dump(exclude=TIMES)


def cut_short(arrays):
    arrays.write_bytes(arrays.read_bytes()[:-100])


def put_that_of_another_table(arrays):
    folder = arrays.parent
    shutil.rmtree(folder)
    DTE(epochs=1, batch_size=2).fit(np.eye(4)).save(folder)


def lose_the_seconds(arrays):
    arrays.parent.with_suffix(".json").write_text('{"seconds": "3"}')


@pytest.mark.parametrize("alter", [cut_short, put_that_of_another_table, lose_the_seconds])
def test_an_altered_detector_is_fitted_again(on_dte, tmp_path, fits, alter):
    run_suite(on_dte, tmp_path)
    (arrays,) = (tmp_path / "detectors").glob("*/arrays.safetensors")
    alter(arrays)
    fits.clear()
    for path in (tmp_path / "trials").iterdir():
        path.unlink()
    assert {record.status for record in run_suite(on_dte, tmp_path)} == {"ok"}
    assert len(fits) == 1


def test_another_seed_or_parameter_is_another_detector(on_dte, tmp_path, fits):
    other = Component(name="dte", params={"epochs": 2})
    both = on_dte.model_copy(update={"detectors": (*on_dte.detectors, other), "seeds": (0, 1)})
    run_suite(both, tmp_path)
    assert len(fits) == 4
    assert len(list((tmp_path / "detectors").glob("*/detector.json"))) == 4


def test_a_stored_detector_keeps_its_training_rows_and_its_iterations(small_suite, tmp_path):
    half = small_suite.tables[0].model_copy(update={"name": "half", "semi_supervised": True})
    dsil = Component(name="dsil_fixed", params={"base": "gaussian", "iterations": 3})
    changed = {"tables": (half, *small_suite.tables), "detectors": (dsil,), "seeds": (0,)}
    suite = small_suite.model_copy(update=changed)
    first = run_suite(suite, tmp_path)
    for path in (tmp_path / "trials").iterdir():
        path.unlink()
    again = run_suite(suite, tmp_path)
    assert [r.detector for r in again] == [r.detector for r in first]
    assert [r.scores for r in again] == [r.scores for r in first]
    lengths = {r.table.label: len(r.detector.iteration_auc_roc) for r in first}
    assert lengths == {"half": 0, "table2-d10-5": 3}
