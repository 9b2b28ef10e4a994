"""The user's own explainers, detectors and data sets: by module, by file, and as installed plug-ins."""

import importlib
import re
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from xadbench.datasets import InputError
from xadbench.datasets.sources.loading import load_dataset
from xadbench.evaluation import run_suite
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.components.registry import identity
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.suite.spec import Suite, TableSpec
from xadbench.evaluation.suite.tables import load_source

MINE = '''
import numpy as np
from pyod.models.knn import KNN
from sklearn.neighbors import LocalOutlierFactor
from xadbench.datasets import LabelledTable

class Far:
    """Distance from the mean.

    Not told.
    """
    def __init__(self, power=1.0, random_state=None):
        if power < 0:
            raise RuntimeError("power is\\nnegative")
        self.power, self.random_state = power, random_state
    def fit(self, detector, background):
        self.mean = background.mean(axis=0)
        return self
    def explain(self, X):
        return np.abs(X - self.mean) ** self.power

def attributions(detector, background, X, power=1.0, random_state=None):
    return np.abs(X) ** power + 0 * random_state
def short(detector, X): return X
def anything(*args, **settings): return args[2]
class Nothing: ...
class Exits(Far):
    def __init__(self): raise SystemExit(3)
class Scores:
    def fit(self, X): return self
    def decision_function(self, X): return (X ** 2).sum(axis=1)
class Negative(LocalOutlierFactor):
    def decision_function(self, X): return -super().decision_function(X)
made = Far()

X, y = np.eye(4), [0, 0, 0, 1]
def whole(): return LabelledTable(X=X, y=y)
def pair(): return X, y
def triple(): return X, y, np.diag(y)
def framed():
    import pandas as pd
    return pd.DataFrame(X, columns=list("abcd")), pd.Series(y)
def raising(): raise KeyError("no\\nfile")
def leaving(): raise SystemExit(3)
def infinite(): return X / 0 * 0, y
def alone(): return X
'''


@pytest.fixture
def folder(code_folder):
    """The current folder, with MINE as a file and as a module."""
    (code_folder / "mine.py").write_text(MINE)
    return code_folder


ENTRY_POINTS = """
[xadbench.explainers]
acme_far = mine:Far
acme_attribution = mine:attributions
oracle = mine:Far
z_score = mine:Far
acme_gone = none_such:Far
acme_nothing = mine:Nothing
acme:colon = mine:Far
[xadbench.detectors]
acme_scores = mine:Scores
acme_reversed = sklearn.neighbors:LocalOutlierFactor
[xadbench.datasets]
acme_table = mine:triple
acme_extra = mine:triple [fast, gpu]
acme_data = mine:X
"""


def install(folder, name, entries):
    about = folder / f"{name}-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(entries)


@pytest.fixture
def acme(folder, monkeypatch):
    """A distribution with plug-ins good and bad is installed."""
    install(folder, "acme", ENTRY_POINTS)
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()


def fitted(explainer):
    return explainer.fit(None, background=np.zeros((3, 2))).explain(np.array([[1.0, -2.0]])).tolist()


@pytest.mark.parametrize("place", ["mine", "mine.py", "./mine.py"])
@pytest.mark.parametrize("name", ["Far", "attributions"])
def test_a_class_and_a_function_are_explainers_with_parameters_and_seed(folder, place, name):
    spec = f"{place}:{name}"
    assert fitted(make_explainer(spec, random_state=3)) == [[1.0, 2.0]]
    explainer = make_explainer(spec, random_state=3, power=2)
    assert fitted(explainer) == [[1.0, 4.0]]
    assert vars(explainer).get("params", vars(explainer))["random_state"] == 3


@pytest.mark.parametrize(
    ("spec", "params", "message"),
    [
        ("mine:Nothing", {}, "Nothing is no explainer: it lacks fit, explain"),
        ("mine:Scores", {}, "Scores is no explainer: it lacks explain"),
        (
            "mine:made",
            {},
            "a class with fit and explain, or a function of .detector, background, X., not an object of Far",
        ),
        ("mine:X", {}, "not an object of ndarray"),
        (
            "mine:short",
            {},
            r"short takes \(detector, X\), expected \(detector, background, X\) first: too ma",
        ),
        ("mine:Far", {"pow": 1}, "unknown parameter of explainer mine:Far: 'pow'.*; known: power$"),
        (
            "mine:attributions",
            {"pow": 1},
            "unknown parameter of explainer mine:attributions: 'pow'.*; known: power$",
        ),
        ("mine:anything", {"settings": 1}, "unknown parameter of explainer mine:anything: 'settings'"),
        ("mine:Far", {"power": -1}, "mine:Far: making it raised RuntimeError: power is negative"),
        ("mine:Exits", {}, "explainer mine:Exits: making it raised SystemExit: 3"),
        ("mine:Far", {"power": "a"}, "explainer mine:Far: '<' not supported .*; given: power='a'$"),
        ("mine:far", {}, "no 'far' in mine; it has: "),
        (
            "far",
            {},
            r"unknown explainer 'far'.*; known: .*; or package\.module:Name, or path/to/file\.py:name",
        ),
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
        ("mine:Far", "Far is no detector: it lacks decision_function"),
        ("mine:attributions", "expected a class with fit and decision_function, not an object of function"),
        ("mine:LocalOutlierFactor", "LocalOutlierFactor scores normal rows higher, as scikit-learn does"),
        ("lof2", r"unknown detector 'lof2'.*; known: .*; or package\.module:Name"),
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
        ("raising", r"data set raising raised KeyError: 'no\\nfile'"),
        ("leaving", "data set leaving raised SystemExit: 3"),
        ("alone", r"data set alone is ndarray, expected a LabelledTable, \(X, y\) or \(X, y, mask\)"),
        ("short", r"data set short raised TypeError: short\(\) missing 2"),
        ("X", "expected a function that returns a data set, not an object of ndarray"),
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


@pytest.mark.usefixtures("acme")
def test_installed_plugins_are_made_by_name():
    assert fitted(make_explainer("acme_far", random_state=0, power=2)) == [[1.0, 4.0]]
    assert fitted(make_explainer("acme_attribution", random_state=0)) == [[1.0, 2.0]]
    assert type(make_explainer("z_score", random_state=0)).__name__ == "ZScore"
    assert make_detector("acme_scores", random_state=0).decision_function(np.eye(2)).tolist() == [1, 1]
    assert load_dataset("acme_table", run_code=True).n_rows == 4
    assert load_dataset("acme_extra", run_code=True).n_rows == 4  # pip tells who lacks an extra


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("acme_gone", "plug-in 'acme_gone' of acme 1.2: no module 'none_such'"),
        (
            "acme_nothing",
            "plug-in 'acme_nothing' of acme 1.2: Nothing is no explainer: it lacks fit, explain",
        ),
        ("acme_fra", "unknown explainer 'acme_fra'.*; known: acme_attribution, acme_far, "),
    ],
)
def test_a_plugin_that_cannot_be_made_is_told_with_its_distribution(name, message):
    with pytest.raises(InputError, match=message):
        make_explainer(name, random_state=0)


@pytest.fixture
def listed(monkeypatch, capsys):
    """What `xadbench list` says, on standard output and on standard error."""

    def call(what):
        monkeypatch.setattr(sys, "argv", ["xadbench", "list", what])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        assert not exit_.value.code
        return capsys.readouterr()

    return call


@pytest.mark.usefixtures("acme")
def test_plugins_are_listed_with_their_distribution_and_broken_ones_with_the_reason(folder, listed):
    out, err = listed("explainers")
    assert re.search(r"^acme_far +Distance from the mean\. \(plug-in of acme 1\.2\)$", out, re.MULTILINE)
    assert re.search(r"^acme_attribution +\(plug-in of acme 1\.2\)$", out, re.MULTILINE)
    assert len(re.findall("^z_score ", out, re.MULTILINE)) == 1
    gone = "plug-in 'acme_gone' of acme 1.2"
    assert err.splitlines() == [
        f"xadbench: {gone}: no module 'none_such', neither installed nor in {folder}",
        "xadbench: plug-in 'acme_nothing' of acme 1.2: Nothing is no explainer: it lacks fit, explain",
        "xadbench: plug-in 'acme:colon' of acme 1.2: a name may not hold a colon",
        "xadbench: plug-in 'oracle' of acme 1.2: the name is that of a built-in one",
        "xadbench: plug-in 'z_score' of acme 1.2: the name is that of a built-in one",
    ]
    out, err = listed("detectors")
    assert "acme_scores" in out
    assert re.fullmatch(
        r"xadbench: plug-in 'acme_reversed' of acme 1\.2: LocalOutlierFactor scores .*\n", err
    )
    out, err = listed("datasets")
    assert "acme_table" in out
    assert re.fullmatch(
        r"xadbench: plug-in 'acme_data' of acme 1\.2: .* not an object of ndarray\n", err, re.DOTALL
    )


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("line", "reason"), [(b"\xff = a:b", "is not UTF-8"), (b"bolt_far", "has a line without =")]
)
def test_a_list_of_entry_points_that_cannot_be_read_leaves_the_others(folder, listed, line, reason):
    install(folder, "bolt", "")
    (folder / "bolt-1.2.dist-info" / "entry_points.txt").write_bytes(b"[xadbench.explainers]\n%b\n" % line)
    importlib.invalidate_caches()
    out, err = listed("explainers")
    assert "acme_far" in out
    assert f"xadbench: distribution bolt: its entry_points.txt {reason}\n" in err


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise BaseException('no cheese')", "bolt: importing it raised BaseException: no cheese"),
        ("import pytest; pytest.skip('here', allow_module_level=True)", "importing it raised Skipped: here"),
        ("class Touchy(type):\n    __getattr__ = 1\nFar = Touchy('Far', (), {})", "it raised TypeError: "),
        ("class Touchy(type):\n    __getattr__ = exit\nFar = Touchy('A', (), {})", "it raised SystemExit: "),
    ],
)
def test_whatever_a_plugin_raises_leaves_the_others(folder, listed, text, reason):
    install(folder, "bolt", "[xadbench.explainers]\na_bolt = bolt:Far\n")
    (folder / "bolt.py").write_text(text)
    importlib.invalidate_caches()
    sys.modules.pop("bolt", None)
    out, err = listed("explainers")
    assert "acme_far" in out
    assert re.search(f"^xadbench: plug-in 'a_bolt' of bolt 1.2: .*{reason}", err, re.MULTILINE)


@pytest.mark.usefixtures("acme")
def test_of_two_plugins_of_one_name_the_second_is_named_and_left(folder, listed):
    install(folder, "bolt", "[xadbench.explainers]\nacme_far = none_such:gone\n")
    importlib.invalidate_caches()
    assert fitted(make_explainer("acme_far", random_state=0)) == [[1.0, 2.0]]
    _, err = listed("explainers")
    assert "plug-in 'acme_far' of bolt 1.2: the name is that of one of acme 1.2" in err


def suite(**changes):
    parts = {"name": "s", "tables": [{"recipe": "table2-d4-5", "rows": 60}], "detectors": ["mine:Scores"]}
    return Suite.model_validate(parts | {"explainers": ["mine.py:Far"]} | changes)


@pytest.mark.parametrize(
    ("explainers", "labels"),
    [
        (["mine:Far", "z_score"], ["Far", "z_score"]),
        ([{"name": "mine:Far", "params": {"power": 2}}, "mine:Far"], ["Far(power=2)", "Far"]),
        (["mine:Far", "other.py:Far"], ["mine:Far", "other.py:Far"]),
        (["mine:z_score", "z_score"], ["mine:z_score", "z_score"]),
        ([{"name": "mine:Far", "label": "a"}, {"name": "b:Far", "label": "Far"}], ["a", "Far"]),
        ([{"name": "mine:Far", "grid": {"power": [1, 2]}}], ["Far(power=1)", "Far(power=2)"]),
    ],
)
def test_a_label_is_the_objects_name_where_that_is_enough(explainers, labels):
    assert suite(explainers=explainers).labels("explainers") == labels


@pytest.mark.usefixtures("acme")
def test_a_suite_takes_all_by_the_same_names(folder):
    requested = suite(
        tables=[{"dataset": "mine.py:triple"}, {"dataset": "acme_table"}],
        detectors=["acme_scores"],
        explainers=["mine.py:Far", "mine:attributions", "acme_far"],
    )
    records = run_suite(requested, folder / "run")
    assert {record["explainer"]["label"] for record in records} >= {"Far", "attributions", "acme_far"}
    assert {record["status"] for record in records if record["explainer"]["label"] != "oracle"} == {"ok"}


def test_a_worker_loads_the_users_code_itself(folder):
    requested = suite(
        explainers=["mine.py:Far", "mine:attributions"], timeout=100
    )  # contained in a worker, of one
    (folder / "s.yaml").write_text(requested.model_dump_json(exclude_none=True))
    code = "from xadbench.evaluation.cli.app import main; main()"
    command = [sys.executable, "-P", "-c", code, "run", "s.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own code
    assert done.returncode == 0
    assert done.stderr.count(" / Scores / Far, seed 0: ok") == 1


@pytest.mark.parametrize(
    ("part", "again"), [("Far", {"Far"}), ("attributions", {"attributions"}), ("Scores", None)]
)
def test_changed_code_is_never_served_from_stored_trials(folder, part, again):
    for name in ("Far", "attributions", "Scores"):
        (folder / f"{name}.py").write_text(MINE)
    requested = suite(
        detectors=["Scores.py:Scores"], explainers=["Far.py:Far", "attributions.py:attributions"]
    )

    def computed():
        new = []
        run_suite(requested, folder / "run", on_trial=lambda record, is_new: new.append((record, is_new)))
        return {record["explainer"]["label"] for record, is_new in new if is_new}

    every = computed()
    assert not computed()
    (folder / f"{part}.py").write_text(MINE + "# changed\n")
    assert computed() == (again or every)
    (folder / f"{part}.py").write_text(MINE)
    assert not computed()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [("text + '# more'", "was changed during the run; run again"), ("'1 / 0'", "InputError: .* raised Zero")],
)
def test_code_that_changes_during_the_run_gives_no_score(folder, changed, reason):
    write = f"place = Path(__file__); text = place.read_text(); place.write_text({changed})"
    text = MINE.replace("self.mean = ", f"{write}; self.mean = ")
    (folder / "changing.py").write_text(f"from pathlib import Path\n{text}")
    requested = suite(detectors=["mine.py:Scores"], explainers=["changing.py:Far", "mine.py:attributions"])
    records = {record["explainer"]["label"]: record for record in run_suite(requested, folder / "run")}
    assert records["Far"]["status"] == "error"
    assert re.search(reason, records["Far"]["reason"])
    assert records["attributions"]["status"] == "ok"


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
