"""What the key of a trial sees."""

import dataclasses

import numpy as np
import pytest

from xadbench.evaluation.components import registry
from xadbench.evaluation.metrics import METRICS
from xadbench.evaluation.suite.spec import Component, TableSpec
from xadbench.evaluation.suite.tables import load_source
from xadbench.evaluation.trial.key import trial_key
from xadbench.evaluation.trial.scopes import Measures

RECIPE = TableSpec(recipe="table2-d10-5", rows=200)


def test_the_key_sees_all_that_determines_the_result():
    a, b = load_source(RECIPE, 0), load_source(RECIPE, 1)
    plain, random = Component(name="distance"), Component(name="random")
    keys = {
        trial_key(a, plain, random),
        trial_key(b, plain, random),
        trial_key(a, plain, Component(name="z_score")),
        trial_key(a, Component(name="iforest"), random),
        trial_key(a, plain, Component(name="faulty", params={"fault": "none"})),
        trial_key(a, plain, Component(name="faulty")),
    }
    assert len(keys) == 6
    assert trial_key(a, plain, random) == trial_key(load_source(RECIPE, 0), plain, random)


def test_the_key_sees_the_version_of_a_detector_inside(monkeypatch):
    from xadbench.dsil import DTE  # noqa: PLC0415  # torch takes a second to import

    source, random = load_source(RECIPE, 0), Component(name="random")
    before = trial_key(source, Component(name="dsil_fixed"), random)
    monkeypatch.setattr(DTE, "version", 99)
    assert trial_key(source, Component(name="dsil_fixed"), random) != before


@pytest.mark.parametrize(
    ("detector", "explainer"), [("distance", "kernel_shap"), ("iforest", "z_score"), ("distance", "z_score")]
)
def test_the_key_sees_the_version_of_a_library_that_does_the_work(monkeypatch, detector, explainer):
    def key():
        return trial_key(load_source(RECIPE, 0), Component(name=detector), Component(name=explainer))

    before = key()
    monkeypatch.setattr(registry, "_installed", lambda library: "99")
    assert (key() == before) == ((detector, explainer) == ("distance", "z_score"))


def test_the_key_sees_metrics_and_baseline_where_they_matter(monkeypatch):
    source, detector, explainer = load_source(RECIPE, 0), Component(name="distance"), Component(name="random")

    def key(*names, fill_value="mean"):
        return trial_key(source, detector, explainer, Measures(names, fill_value))

    def all_keys():
        return [key(), key("infidelity"), key("fidelity"), key("fidelity", fill_value="median")]

    keys = all_keys()
    assert len(set(keys)) == 4
    assert key("ndcg_m", fill_value="median") == keys[0]
    monkeypatch.setitem(METRICS, "fidelity", dataclasses.replace(METRICS["fidelity"], version=2))
    assert [a == b for a, b in zip(all_keys(), keys, strict=True)] == [True, True, False, False]


HALF = TableSpec(recipe="table2-d10-5", rows=200, semi_supervised=True)


def test_the_training_rows_are_part_of_the_key():
    source, distance, random = load_source(HALF, 0), Component(name="distance"), Component(name="random")
    others = dataclasses.replace(source, training=source.training.rows(np.arange(50)))
    keys = [
        trial_key(one, distance, random)
        for one in (source, others, dataclasses.replace(source, training=None))
    ]
    assert len(set(keys)) == 3
