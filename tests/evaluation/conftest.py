"""A suite that takes a second, and what breaks on purpose."""

import shutil
import sys
from copy import deepcopy
from functools import cache, partial
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from xadbench.evaluation import detectors, explainers, run_suite
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.components.registry import Entry, factory_of
from xadbench.evaluation.leaks.controls import leak_controls
from xadbench.evaluation.results import table_summary
from xadbench.evaluation.results.ranking import boards
from xadbench.evaluation.results.run_results import read_results
from xadbench.evaluation.runs import runner
from xadbench.evaluation.suite.spec import Suite, saving
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


SMALL = {
    "name": "small",
    "tables": [{"recipe": "table2-d10-5", "rows": 200}],
    "detectors": ["distance"],
    "explainers": ["z_score", "random"],
    "seeds": [0, 1],
}


def _stand_in(patch):
    patch.setattr(explaining, "_WARM", set())
    for registry, name, cls in (
        (detectors.DETECTORS, "distance", Distance),
        (explainers.EXPLAINERS, "faulty", Faulty),
    ):
        patch.setitem(registry, name, Entry("a stand-in", lambda cls=cls: factory_of(cls)))
    patch.setattr(runner, "names_user_code", lambda suite: False)  # workers do not find the stand-ins
    # The null of the leak controls that a run keeps of a table: to draw it 40 times is half of a run's time.
    patch.setattr(table_summary, "leak_controls", partial(leak_controls, n_draws=2))


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    _stand_in(monkeypatch)
    Distance.n_fits = Faulty.n_calls = 0
    return SimpleNamespace(Distance=Distance, Faulty=Faulty)


@pytest.fixture
def small_suite():
    return Suite.model_validate(SMALL)


@pytest.fixture(scope="session")
def _run_once(tmp_path_factory):
    """A function that returns the folder of a run of the small suite, and its records."""

    @cache
    def run(*keep):
        folder = tmp_path_factory.mktemp("once")
        with pytest.MonkeyPatch.context() as patch:
            _stand_in(patch)
            return folder, run_suite(saving(Suite.model_validate(SMALL), keep), folder)

    return run


@pytest.fixture
def put_run(_run_once):
    """A function that puts a run of the small suite into a folder, and returns its records."""

    def put(folder, *keep):
        run, records = _run_once(*keep)
        shutil.copytree(run, folder, dirs_exist_ok=True)
        return deepcopy(records)

    return put


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


@pytest.fixture(scope="session")
def results(finished_run):
    """What the finished run holds; to read alone, as all that is made once a session."""
    return read_results(finished_run)


@pytest.fixture(scope="session")
def made(results):
    """Its boards."""
    return boards(results)


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
