"""A suite that takes a second, and what breaks on purpose."""

import sys
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from xadbench.evaluation import detectors, explainers
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.components.registry import Entry, factory_of
from xadbench.evaluation.suite.spec import Suite
from xadbench.evaluation.trial import explain as explaining


class Distance:
    """A detector without torch: the squared distance to the mean."""

    version = 1
    n_fits = 0

    def fit(self, X):
        Distance.n_fits += 1
        self.mean = X.mean(axis=0)
        return self

    def decision_function(self, X):
        return ((X - self.mean) ** 2).sum(axis=1)

    def get_params(self):
        return {}


class Faulty:
    """An explainer that does what it is told to do wrong."""

    version = 1
    requires = frozenset()
    n_calls = 0

    def __init__(self, fault="raise"):
        self.fault = fault

    def fit(self, detector, background):
        return self

    def explain(self, X):
        Faulty.n_calls += 1
        if self.fault == "raise":
            raise RuntimeError("out of cheese")
        if self.fault == "interrupt":
            raise KeyboardInterrupt
        if self.fault == "exit":
            raise SystemExit(3)
        if self.fault == "nan":
            return np.full(X.shape, np.nan)
        if self.fault == "shape":
            return X[:, 1:]
        return np.zeros(X.shape)


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    Distance.n_fits = Faulty.n_calls = 0
    monkeypatch.setattr(explaining, "_WARM", set())
    for registry, name, cls in (
        (detectors.DETECTORS, "distance", Distance),
        (explainers.EXPLAINERS, "faulty", Faulty),
    ):
        monkeypatch.setitem(registry, name, Entry("a stand-in", lambda cls=cls: factory_of(cls)))
    return SimpleNamespace(Distance=Distance, Faulty=Faulty)


@pytest.fixture
def small_suite():
    return Suite.model_validate(
        {
            "name": "small",
            "tables": [{"recipe": "table2-d10-5", "rows": 200}],
            "detectors": ["distance"],
            "explainers": ["z_score", "random"],
            "seeds": [0, 1],
        }
    )


@pytest.fixture
def xadbench(monkeypatch, capsys, tmp_path):
    """Run the command line inside an empty folder; return exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["xadbench", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        out, err = capsys.readouterr()
        return exit_.value.code or 0, out, err

    return call


@pytest.fixture
def records(trial_record):
    """Trials of two explainers on three tables, two seeds, two detectors."""
    levels = {"good": 0.7, "poor_&co": 0.1}
    components = {
        "detector": {"forest": {"version": 1, "params": {"random_state": 0}}},
        "explainer": {"good": {"version": 2, "params": {"samples": 10}}},
        "metrics": {"ndcg_m": 1, "acc_m": 1},
    }

    def record(table, seed, detector, explainer):
        score = levels[explainer] + 0.01 * seed + 0.02 * len(table)
        values = {"adjusted_ndcg_m": score, "infidelity": 1 - score, "adjusted_acc_m": score}
        scores = {"detected": values, "flagged": {"adjusted_ndcg_m": 0.0}}
        made = trial_record(table, seed, detector, "good", scores=scores, normalised_time=50.0 + seed)
        label = {"name": explainer, "label": explainer}
        return made | {"explainer": label, "key": "k", "components": components}

    return [
        record(*trial) for trial in product(("wine", "a|b", "<script>"), (0, 1), ("forest", "knn"), levels)
    ]
