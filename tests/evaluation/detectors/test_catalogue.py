import subprocess
import sys

import numpy as np
import pytest

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.dsil.detectors.retention import Cosine, Fixed
from xadbench.evaluation.detectors import DETECTORS, make_detector

every = pytest.mark.parametrize("name", sorted(DETECTORS))


@pytest.fixture(scope="module")
def rows() -> FloatArray:
    X = np.random.default_rng(0).standard_normal((300, 4))
    X.flags.writeable = False
    return X


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
    with pytest.raises(InputError, match=r"unknown detector 'lov'.*; known: .*dte, dte_inverse_gamma"):
        make_detector("lov", random_state=0)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("iforest", "epochs"), ("dte", "iterations"), ("dsil_fixed", "retention")],
)
def test_an_unknown_parameter_is_told_the_known_ones(name: str, parameter: str) -> None:
    known = "n_estimators" if name == "iforest" else "epochs"
    message = rf"unknown parameter of detector {name}: '{parameter}'.*; known: .*{known}"
    with pytest.raises(InputError, match=message):
        make_detector(name, random_state=0, **{parameter: 1})


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("dsil_fixed", {}, "fixed"),
        ("dsil_fixed", {"r": 0.7}, Fixed(0.7)),
        ("dsil_cosine", {"start": 0.9, "end": 0.4}, Cosine(0.9, 0.4)),
    ],
)
def test_a_retention_takes_its_own_ratios(name: str, params: dict[str, float], expected: object) -> None:
    assert make_detector(name, random_state=0, **params).get_params()["retention"] == expected


def test_a_ratio_out_of_range_is_refused() -> None:
    with pytest.raises(InputError, match=r"detector dsil_fixed: r is 1\.5, expected a share"):
        make_detector("dsil_fixed", random_state=0, r=1.5)


def test_the_weighted_loss_trains_a_dte() -> None:
    params = make_detector("dte_weighted", random_state=0, epochs=30, rounds=3).get_params()
    assert (params["rounds"], params["base"].get_params()["epochs"]) == (3, 30)


def test_without_combo_feature_bagging_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("pyod.models.feature_bagging")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "pyod.models.combination", None)
    with pytest.raises(InputError, match=r"pip install pyod\[combo\]"):
        make_detector("feature_bagging", random_state=0)


def test_to_list_names_nothing_slow_is_imported() -> None:
    code = (
        "import sys; from xadbench.evaluation.cli import app as cli;"
        "slow = 'torch', 'pyod', 'shap', 'scipy.optimize', 'requests', 'jinja2', 'plotly';"
        "print([module for module in slow if module in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own code
    assert listed.stdout.strip() == "[]"


@pytest.mark.parametrize("base", ["dte_non_parametric", "knn", "dte_inverse_gamma"])
def test_dsil_goes_over_any_named_detector(base):
    X = np.random.default_rng(0).standard_normal((60, 3))
    params = {"epochs": 3, "batch_size": 60} if base == "dte_inverse_gamma" else {}
    detector = make_detector("dsil_fixed", random_state=1, base=base, base_params=params, iterations=2, r=0.8)
    assert detector.fit(X).kept_.sum() == 48
    assert np.array_equal(detector.decision_function(X), detector.decision_scores_)


def test_another_base_takes_no_parameters_of_dte():
    with pytest.raises(InputError, match="epochs: of dte, but base is 'knn'; expected base_params"):
        make_detector("dsil_fixed", random_state=0, base="knn", epochs=3)
    with pytest.raises(InputError, match="unknown detector 'knm'"):
        make_detector("dsil_fixed", random_state=0, base="knm")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", ["rod:ROD", "sos:SOS", "cd:CD", "lmdd:LMDD", "vae:VAE", "cof:COF"])
def test_a_model_that_scores_a_row_by_its_batch_is_refused(model):
    detector = make_detector(f"pyod.models.{model}", random_state=0)
    with pytest.raises(InputError, match=rf"{model.partition(':')[2]} (scores|cannot score)"):
        detector.fit(np.random.default_rng(0).normal(size=(60, 3)))


def test_equal_rows_have_equal_scores_by_the_vae():
    X = np.random.default_rng(0).normal(size=(60, 3))
    detector = make_detector("vae", random_state=0, epoch_num=2).fit(X)
    together = detector.decision_function(np.repeat(X[:1], 5, axis=0))
    assert np.ptp(together) <= 1e-6 * together.max()
    np.testing.assert_allclose(detector.decision_function(X[:1]), together[:1], rtol=1e-6)
