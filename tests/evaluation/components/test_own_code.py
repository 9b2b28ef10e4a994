"""The user's own explainers, detectors and data sets, by module and by file."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from xadbench.datasets import InputError
from xadbench.datasets.sources.loading import load_dataset
from xadbench.evaluation.components.registry import identity
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.suite.spec import TableSpec
from xadbench.evaluation.suite.tables import load_source


@pytest.mark.parametrize("place", ["mine", "mine.py", "./mine.py"])
@pytest.mark.parametrize("name", ["Far", "attributions"])
def test_a_class_and_a_function_are_explainers_with_parameters_and_seed(folder, place, name, fitted):
    spec = f"{place}:{name}"
    assert fitted(make_explainer(spec, random_state=3)) == [[1.0, 2.0]]
    explainer = make_explainer(spec, random_state=3, power=2)
    assert fitted(explainer) == [[1.0, 4.0]]
    assert vars(explainer).get("params", vars(explainer))["random_state"] == 3


@pytest.mark.parametrize(
    ("spec", "params", "message"),
    [
        ("mine:Nothing", {}, "Nothing .*fit, explain"),
        ("mine:Scores", {}, "Scores .* explain$"),
        (
            "mine:made",
            {},
            r"fit and explain, .*\(detector, background, X\), .*Far",
        ),
        ("mine:X", {}, "fit and explain, .*ndarray"),
        (
            "mine:short",
            {},
            r"short .*\(detector, X\), .*\(detector, background, X\)",
        ),
        ("mine:Far", {"pow": 1}, "mine:Far: 'pow'.* power$"),
        ("mine:attributions", {"pow": 1}, "mine:attributions: 'pow'.* power$"),
        ("mine:anything", {"settings": 1}, "mine:anything: 'settings'"),
        ("mine:Far", {"power": -1}, "mine:Far: .*RuntimeError: power is negative"),
        ("mine:Exits", {}, "mine:Exits: .*SystemExit: 3"),
        ("mine:Far", {"power": "a"}, "mine:Far: .*power='a'$"),
        ("mine:far", {}, "'far' in mine.* Far"),
        ("far", {}, r"explainer 'far'.*z_score.*package\.module:Name.*path/to/file\.py:name"),
    ],
)
def test_what_is_no_explainer_is_refused(folder, spec, params, message):
    with pytest.raises(InputError, match=message) as caught:
        make_explainer(spec, random_state=0, **params)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", [make_explainer, make_detector])
def test_a_parameter_may_be_called_name(folder, make):
    methods = "def fit(self, *data): return self\n    def explain(self, X): return X\n    "
    (folder / "named.py").write_text(
        "class A:\n    def __init__(self, name): self.name = name\n    "
        f"{methods}decision_function = explain\n"
    )
    assert make("named.py:A", random_state=0, name="mine").name == "mine"


def test_a_class_is_a_detector_and_a_model_of_pyods_is_seeded(folder):
    X = np.random.default_rng(0).standard_normal((40, 2))
    far = np.array([[9.0, 9.0], [0.0, 0.0]])
    for spec in ("mine:Scores", "mine.py:KNN", "pyod.models.iforest:IForest"):
        near_and_far = make_detector(spec, random_state=0).fit(X).decision_function(far)
        assert near_and_far.argmax() == 0
    assert make_detector("pyod.models.iforest:IForest", random_state=5).random_state == 5
    assert make_detector("mine:Negative", random_state=0, n_neighbors=3).n_neighbors == 3
    base = make_detector("dsil_fixed", random_state=0, base="mine.py:KNN", base_params={"n_neighbors": 3})
    assert base.get_params()["base__model__n_neighbors"] == 3


def test_a_built_in_detector_is_itself_once_its_class_came_under_another_name():
    before = identity("hbos", make_detector("hbos", random_state=0))
    make_detector("pyod.models.hbos:HBOS", random_state=0)
    assert identity("hbos", make_detector("hbos", random_state=0)) == before


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mine:Far", "Far .*decision_function"),
        ("mine:attributions", "fit and decision_function.*function"),
        ("mine:LocalOutlierFactor", "LocalOutlierFactor .*higher"),
        ("lof2", r"detector 'lof2'.*iforest.*package\.module:Name"),
    ],
)
def test_what_is_no_detector_is_refused(folder, spec, message):
    with pytest.raises(InputError, match=message):
        make_detector(spec, random_state=0)


@pytest.mark.parametrize("name", ["whole", "pair", "triple", "framed"])
def test_a_function_is_a_data_set(folder, name):
    table = load_dataset(f"mine.py:{name}", run_code=True)
    assert_array_equal(table.X, np.eye(4))
    assert_array_equal(table.y, [False, False, False, True])
    assert (table.mask is not None) == (name == "triple")
    assert table.feature_names == (("a", "b", "c", "d") if name == "framed" else ("x0", "x1", "x2", "x3"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("raising", r"raising .*KeyError: 'no\\nfile'"),
        ("leaving", "leaving .*SystemExit: 3"),
        ("alone", r"alone .*ndarray.* LabelledTable, \(X, y\) or \(X, y, mask\)"),
        ("short", r"short .*TypeError"),
        ("X", "function .*ndarray"),
    ],
)
def test_what_is_no_data_set_is_refused(folder, name, message):
    with pytest.raises(InputError, match=message):
        load_dataset(f"mine:{name}", run_code=True)


def test_a_table_that_contradicts_itself_is_refused_by_the_functions_name(folder):
    (folder / "bad.py").write_text("def bad(): return [[1.0], [float('nan')]], [0, 1]")
    with pytest.raises(InputError, match=r"data set bad: X has 1 value\(s\) that are NaN"):
        load_dataset("bad.py:bad", run_code=True)


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("name", ["mine.py:pair", "acme_table"])
def test_code_is_run_only_where_it_may_be(name):
    with pytest.raises(InputError, match=f"unknown data set '{name}'; expected bundled:NAME"):
        load_dataset(name)
    with pytest.raises(InputError, match="unknown data set"):
        load_source(TableSpec(dataset=name), 0, run_code=False)
    assert load_source(TableSpec(dataset=name), 0).table.n_rows == 4


def test_an_object_among_the_parameters_is_the_same_in_each_process(folder):
    (folder / "net.py").write_text(
        "class Net: ...\nclass Far:\n"
        "    def __init__(self, net=None): self.net = net or Net()\n"
        "    def fit(self, detector, background): return self\n"
        "    def explain(self, X): return X\n"
    )
    made = [make_explainer("net.py:Far", random_state=0) for _ in range(2)]
    first, second = (identity("Far", explainer) for explainer in made)
    assert first == second
    assert re.fullmatch(r"<net_\w+\.Net object>", first["Far"]["params"]["net"])
