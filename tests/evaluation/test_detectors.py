import subprocess
import sys

import numpy as np
import pytest

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.errors import InputError
from xadbench.evaluation.detectors import DETECTORS, make_detector

QUICK = {"dte": {"epochs": 2}, "iforest": {"n_estimators": 20}}
QUICK |= {f"dsil_{name}": {"epochs": 4, "iterations": 2} for name in ("fixed", "cosine", "exponential")}
every = pytest.mark.parametrize("name", sorted(DETECTORS))


@pytest.fixture(scope="module")
def rows() -> FloatArray:
    X = np.random.default_rng(0).standard_normal((300, 4))
    X.flags.writeable = False
    return X


@every
def test_each_row_gets_a_score_that_the_seed_decides(name: str, rows: FloatArray) -> None:
    detectors = [make_detector(name, random_state=seed, **QUICK[name]).fit(rows) for seed in (0, 0, 1)]
    first, same, other = (detector.decision_function(rows) for detector in detectors)
    assert first.shape == (300,)
    assert first.dtype == np.float64
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


@every
def test_a_detector_has_a_version_and_says_its_parameters(name: str) -> None:
    detector = make_detector(name, random_state=3, **QUICK[name])
    assert isinstance(detector.version, int)
    assert detector.get_params()["random_state"] == 3


@every
def test_an_entry_describes_itself_in_one_line(name: str) -> None:
    assert 10 < len(DETECTORS[name].description) < 80
    assert "\n" not in DETECTORS[name].description


def test_a_far_row_scores_highest_in_an_isolation_forest(rows: FloatArray) -> None:
    detector = make_detector("iforest", random_state=0).fit(rows)
    assert detector.decision_function(np.vstack([rows, np.full((1, 4), 6.0)])).argmax() == 300


def test_parameters_go_to_dsil_or_to_its_base() -> None:
    params = make_detector("dsil_cosine", random_state=5, epochs=30, iterations=3, batch_size=64).get_params()
    base = params["base"].get_params()
    assert (params["iterations"], params["retention"], params["random_state"]) == (3, "cosine", 5)
    assert (base["epochs"], base["batch_size"], base["method"]) == (30, 64, "categorical")


def test_an_unknown_detector_is_told_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"unknown detector 'lof'; known: .*dte, iforest"):
        make_detector("lof", random_state=0)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("iforest", "epochs"), ("dte", "iterations"), ("dsil_fixed", "retention"), ("dsil_fixed", "base")],
)
def test_an_unknown_parameter_is_told_the_known_ones(name: str, parameter: str) -> None:
    known = "n_estimators" if name == "iforest" else "epochs"
    message = rf"unknown parameter of detector {name}: '{parameter}'; known: .*{known}"
    with pytest.raises(InputError, match=message):
        make_detector(name, random_state=0, **{parameter: 1})


def test_to_list_names_nothing_slow_is_imported() -> None:
    code = (
        "import sys; from xadbench.evaluation import detectors, explainers, metrics;"
        "print([m for m in ('torch', 'pyod', 'shap') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own code
    assert listed.stdout.strip() == "[]"
