"""Fixtures that more than one folder of tests uses."""

import os
import shutil
import signal
import sys
from hashlib import sha256
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from xadbench.datasets import LabelledTable
from xadbench.evaluation.results.record import RECORD_VERSION

settings.register_profile("no wall time", deadline=None)  # a loaded machine is no fault of the code
settings.load_profile("no wall time")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a script; children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    """Run PyOD's and shap's small loops as they are written: to compile them takes each process seconds.

    The slow tests, whose tables are long, compile them, as a user's run does.
    """
    if "not slow" in config.getoption("markexpr"):
        os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # before numba is imported; for child processes too


@pytest.fixture(scope="session")
def data_folder():
    """A function that returns the folder of real data that an environment variable names, or skips."""

    def named_by(variable: str) -> Path:
        folder = os.environ.get(variable)
        if not folder:
            pytest.skip(f"real data: {variable} is not set")
        if not Path(folder).is_dir():
            pytest.skip(f"real data: {variable} is {folder}, which is not a folder")
        return Path(folder).resolve()

    return named_by


@pytest.fixture(scope="session")
def adbench_folder(data_folder) -> Path:
    return data_folder("XADBENCH_ADBENCH_DIR")


@pytest.fixture(scope="session")
def real_folder(data_folder) -> Path:
    return data_folder("XADBENCH_REAL_DIR")


@pytest.fixture
def table() -> LabelledTable:
    """Six rows of three features; the last two rows are anomalous, with one and two ground-truth features."""
    clean = np.arange(18, dtype=float).reshape(6, 3)
    mask = np.zeros((6, 3), dtype=bool)
    mask[4, 0] = mask[5, 1:] = True
    return LabelledTable(
        X=np.where(mask, clean + 100, clean),
        y=mask.any(axis=1),
        kind=[0, 0, 0, 0, 1, 2],
        kinds=("normal", "additive", "global"),
        mask=mask,
        clean=clean,
        feature_names=("a", "b", "c"),
        provenance={"source": "a test"},
    )


@pytest.fixture
def code_folder(tmp_path, monkeypatch):
    """An empty current folder, which is not on the path; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


SUITE = {
    "controls": True,
    "name": "small",
    "description": "<i>names that HTML chokes on</i>",
    "tables": [
        {"name": name, "dataset": "bundled:wine"} for name in ("alpha", "<script>alert(1)</script>", "c|c")
    ],
    "detectors": ["forest", "<b>knn</b>"],
    "explainers": ["good", "fair", "poor_&co", "gappy", "random"],
    "seeds": [0, 1],
}
KINDS = {"global": 0.0, "<b>local</b>": -0.3}
LEVELS = {"good": 0.8, "fair": 0.5, "poor_&co": 0.1, "gappy": 0.9, "random": 0.0, "truth": 1.0}


def _curve(score, n_features):
    """From the score down to 0.3 below it, a value for each number of features."""
    from xadbench.evaluation.metrics import set_sizes  # noqa: PLC0415  # as below

    return np.linspace(score, score - 0.3, len(set_sizes(n_features))).tolist()


def _record(table, seed, detector, explainer, **changes):
    score = LEVELS[explainer] + 0.02 * len(table) / 10 + 0.01 * seed
    values = {"adjusted_ndcg_m": score, "ndcg_m": score, "acc_m": score, "chance": 0.3, "n_informative": 9}
    return {
        "version": RECORD_VERSION,
        "key": sha256(f"{table}{seed}{detector}{explainer}".encode()).hexdigest(),
        "seed": seed,
        "table": {
            "label": table,
            "content_hash": ("0" if table == "alpha" else "1") * 64,
            "n_rows": 100,
            "n_features": 8 if table == "alpha" else 5,
            "n_anomalies": 10,
        },
        "detector": {"name": detector, "label": detector, "quality": {"auc_roc": 0.9}, "fit_seconds": 0.5},
        "explainer": {"name": explainer, "label": explainer},
        "status": "ok",
        "reason": None,
        "seconds": 3.0 - 2 * LEVELS[explainer] if explainer != "poor_&co" else 0.001,
        "normalised_time": 10.0,
        "scores": {scope: dict(values) for scope in ("anomalies", "detected", "flagged")},
        "scores_by_kind": {
            scope: {kind: values | {"adjusted_ndcg_m": score + more} for kind, more in KINDS.items()}
            for scope in ("anomalies", "detected")
        },
        "scores_at_k": {"detected": {"faithfulness": _curve(score, 8 if table == "alpha" else 5)}},
        **changes,
    }


def _summary(n_features):
    """What a run keeps of a table: three anomalies, two of which have the first feature responsible."""
    names = ["<i>x0</i>", *(f"x{i}" for i in range(1, n_features))]
    first = [True] + [False] * (n_features - 1)
    facts = {"normal mean": 0.0, "normal std": 1.0, "anomalous mean": 3.0, "anomalous std": None}
    return {
        "features": names,
        "graph": {"nodes": names, "edges": [[names[0], names[1]]]},
        "margins": [
            {"feature": name, "n_true": 2, "normal": [9, 1], "anomalous": [0, 2], "facts": facts}
            for name in names
        ],
        "examples": [
            {
                "row": row,
                "kind": list(KINDS)[row % 2],
                "values": [3.0] + [0.5] * (n_features - 1),
                "clean": [0.5] * n_features,
                "ground_truth": first if row < 2 else [not one for one in first],
            }
            for row in range(3)
        ],
    }


def _keep_attributions(run, record):
    """Attributions for rows 0 to 2, row 1 not detected: all on the first feature, or on the last."""
    attributions = np.zeros((3, record.table.n_features))
    attributions[:, 0 if record.explainer.name == "good" else -1] = 2.0
    frame = pd.DataFrame(attributions, columns=_summary(attributions.shape[1])["features"])
    frame.insert(0, "__row__", [0, 1, 2])
    frame.insert(1, "__detected__", [True, False, True])
    path = run / "attributions" / f"{record.key}.parquet"
    path.parent.mkdir(exist_ok=True)
    frame.to_parquet(path, index=False)


@pytest.fixture
def trial_record():
    """A function that makes a record of a trial of SUITE; what it is given takes the place of its parts."""
    return _record


def _write_run(run, suite):
    """Write a run of SUITE, or of a part of it: `gappy` is skipped on one table and fails on another."""
    # They take seconds, and most tests need none of it.
    from xadbench.evaluation.results import store  # noqa: PLC0415
    from xadbench.evaluation.results.record import as_trial  # noqa: PLC0415

    about = {"version": RECORD_VERSION, "suite": suite, "versions": {"python": "3.11"}}
    store.write_json(run / "run.json", about)
    names = [table["name"] for table in suite["tables"]]
    unscored = {"scores": {}, "scores_by_kind": {}, "scores_at_k": {}}
    failure = {"status": "error", "reason": "ValueError: <b>", "traceback": "</script>", **unscored}
    changes = {
        ("gappy", "alpha"): {"status": "skipped", "reason": "needs a gradient", **unscored},
        ("gappy", "c|c"): failure,
    }
    for table, seed, detector, explainer in product(names, (0, 1), suite["detectors"], LEVELS):
        own = changes.get((explainer, table), {})
        if table == "alpha" and explainer in {"good", "fair"}:
            own = own | {"artifacts": ["attributions"]}
        record = as_trial(_record(table, seed, detector, explainer, **own), "a record")
        store.write_record(run, record)
        if record.artifacts:
            _keep_attributions(run, record)
    store.write_json(run / "tables" / f"{'0' * 64}.json", _summary(8))
    return run


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> Path:
    """A run of SUITE, to read alone."""
    return _write_run(tmp_path_factory.mktemp("finished") / "run", SUITE)


@pytest.fixture
def run_folder(finished_run, tmp_path) -> Path:
    """A copy of it, to change."""
    return shutil.copytree(finished_run, tmp_path / "run")


@pytest.fixture(scope="session")
def small_finished_run(tmp_path_factory) -> Path:
    """The part of it with one table and one detector, whose report takes a tenth of the time."""
    part = {"tables": SUITE["tables"][:1], "detectors": SUITE["detectors"][:1]}
    return _write_run(tmp_path_factory.mktemp("small") / "run", SUITE | part)


@pytest.fixture
def small_run_folder(small_finished_run, tmp_path) -> Path:
    """A copy of it, to change."""
    return shutil.copytree(small_finished_run, tmp_path / "run")


def _located(noise, location):
    """Return pyro's distribution of `noise` plus `location` (n,)."""
    import pyro.distributions as dist  # noqa: PLC0415  # takes seconds, and most tests need none of it

    match noise.family:
        case "uniform":
            return dist.Uniform(location + noise.low, location + (noise.low + noise.width))
        case "normal":
            return dist.Normal(location + noise.mean, noise.std)
        case "exponential":
            own = dist.Exponential(location.new_full(location.shape, 1 / noise.scale))
        case "gamma":
            own = dist.Gamma(location.new_full(location.shape, noise.shape), 1 / noise.scale)
    return dist.TransformedDistribution(own, dist.transforms.AffineTransform(location, 1.0))


@pytest.fixture
def functional_network():
    """A function that builds pgmpy's FunctionalBayesianNetwork, vectorised, of our network for n rows.

    Noise and mechanisms are written anew, in pyro and torch.
    """
    import torch  # noqa: PLC0415  # takes seconds, and most tests need none of it
    from pgmpy import config  # noqa: PLC0415  # as above
    from pgmpy.factors.hybrid import FunctionalCPD  # noqa: PLC0415  # as above
    from pgmpy.models import FunctionalBayesianNetwork  # noqa: PLC0415  # as above

    mechanisms = {
        "linear": lambda x: x,
        "saturating": torch.nn.functional.softsign,
        "absolute": torch.abs,
        "product": torch.mul,
    }

    def conditional(noise, terms, n_rows):
        def distribution(parents):
            location = torch.zeros(n_rows, dtype=torch.float64)
            for term in terms:
                values = (torch.tensor(parents[name].to_numpy()) for name in term.parents)
                location += term.weight * mechanisms[term.function](*values)
            return _located(noise, location)

        return distribution

    def build(network, n_rows):
        model = FunctionalBayesianNetwork()
        model.add_nodes_from(network.nodes)
        model.add_edges_from(network.edges)
        for node, noise in network.noise.items():
            own = conditional(noise, network.terms[node], n_rows)
            model.add_cpds(FunctionalCPD(node, own, list(network.predecessors(node)), vectorized=True))
        return model

    backend = config.get_backend()
    config.set_backend("torch")
    yield build
    config.set_backend(backend)
