"""Components that are given as Python objects: they go to workers with their jobs."""

from threading import Lock

import numpy as np
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import run_suite
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.explainers import EXPLAINERS
from xadbench.evaluation.runs import dask_pool, process_pool
from xadbench.evaluation.suite.spec import Component, Suite


def size(sign):
    """Return a function that workers cannot import."""
    return lambda detector, background, X: sign * np.abs(X)


def centre():
    """Return a class of detectors that workers cannot import."""

    class Centre:
        def fit(self, X):
            self.centre = X.mean(axis=0)
            return self

        def decision_function(self, X):
            return np.abs(X - self.centre).sum(axis=1)

    return Centre


def suite_of(*explainers):
    return Suite.model_validate(
        {
            "name": "objects",
            "tables": [{"recipe": "table2-d4-5", "rows": 200}],
            "detectors": [Component.of_object(centre())],
            "explainers": explainers,
            "controls": False,
        }
    )


@pytest.fixture
def suite():
    return suite_of(*(Component.of_object(size(sign), label=str(sign)) for sign in (1, -1)))


@pytest.fixture
def registries(monkeypatch):
    """Those of workers, without the tests' stand-ins, whose module workers do not find."""
    for module in (process_pool, dask_pool):
        for registry in ("DETECTORS", "EXPLAINERS"):
            monkeypatch.setattr(module, registry, {})


def means(records):
    return {one.explainer.label: one.scores["anomalies"]["ndcg_m"] for one in records}


@pytest.mark.usefixtures("registries")
@pytest.mark.parametrize("executor", ["processes", "dask"])
def test_objects_go_to_workers_and_give_what_they_give_here(suite, tmp_path, executor):
    known = {*DETECTORS}, {*EXPLAINERS}
    here = run_suite(suite, tmp_path / "here")
    there = run_suite(suite, tmp_path / "there", workers=2, executor=executor)
    assert [one.status for one in there] == ["ok", "ok"]
    assert means(there) == means(here)
    assert means(here)["1"] > means(here)["-1"]
    assert ({*DETECTORS}, {*EXPLAINERS}) == known
    assert {one.detector.label for one in there} == {"Centre"}


def test_the_same_component_is_resumed_and_another_of_its_object_is_not(suite, tmp_path):
    new = []

    def tell(record, is_new):
        new.append(is_new)

    run_suite(suite, tmp_path, tell)
    run_suite(suite, tmp_path, tell)
    again = [Component.of_object(one.made_from, label=one.label) for one in suite.explainers]
    run_suite(suite.model_copy(update={"explainers": tuple(again)}), tmp_path, tell)
    assert new == [True] * 2 + [False] * 2 + [True] * 2


def test_an_object_that_cannot_be_sent_is_named_before_any_work(tmp_path):
    lock = Lock()

    def locked(detector, background, X):
        with lock:
            return np.abs(X)

    suite = suite_of(Component.of_object(locked))
    assert [one.status for one in run_suite(suite, tmp_path / "here")] == ["ok"]
    with pytest.raises(InputError, match=r"^locked cannot be sent to workers \(.*expected .*one worker"):
        run_suite(suite, tmp_path / "there", workers=2)
    assert not (tmp_path / "there").exists()


def test_a_detector_is_given_as_a_class(tmp_path):
    made = Suite.model_validate(
        dict(suite_of("z_score")) | {"detectors": [Component.of_object(centre()(), label="made")]}
    )
    with pytest.raises(InputError, match="expected a class with fit and decision_function"):
        run_suite(made, tmp_path)


class Copied:
    n_copies = 0

    def fit(self, detector, background):
        return self

    def explain(self, X):
        return np.abs(X)

    def __deepcopy__(self, memo):
        Copied.n_copies += 1
        return Copied()


def test_an_object_is_not_copied_again_to_see_whether_it_was_changed(tmp_path):
    suite = suite_of(Component.of_object(Copied()))
    assert [one.status for one in run_suite(suite, tmp_path)] == ["ok"]
    assert Copied.n_copies <= 4  # for the key, to warm up, to explain, and for what the record says of it
