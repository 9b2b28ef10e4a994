import pickle

import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import run_suite
from xadbench.evaluation.suite.spec import Component, Suite, load_suite, suite_names

GOOD = """\
name: s
tables: [{recipe: table2-d4-5}]
detectors: [dte, {name: dte, params: {epochs: 3}}]
explainers: [random]
"""


def read(tmp_path, text):
    (tmp_path / "s.yaml").write_text(text)
    return load_suite(str(tmp_path / "s.yaml"))


@pytest.mark.parametrize("name", suite_names())
def test_shipped_suites_are_valid_and_carry_their_file_name(name):
    assert load_suite(name).name == name


def test_quick_has_what_the_readme_says():
    quick = load_suite("quick")
    assert [spec.recipe is not None for spec in quick.tables] == [True, True, False]
    assert quick.tables[2].inject is not None
    assert (len(quick.detectors), len(quick.explainers)) == (2, 7)


def test_parameters_are_part_of_the_label(tmp_path):
    assert [d.label for d in read(tmp_path, GOOD).detectors] == ["dte", "dte(epochs=3)"]


def test_a_grid_is_one_component_a_combination_and_a_list_in_params_one_value(tmp_path):
    grid = "{name: kernel_shap, params: {p: [1, 2]}, grid: {alpha: [2, 4], rows: [50, 100]}}"
    explainers = read(tmp_path, GOOD.replace("[random]", f"[random, {grid}]")).explainers
    assert len(explainers) == 5
    assert explainers[1].params == {"p": [1, 2], "alpha": 2, "rows": 50}
    assert explainers[4].label == "kernel_shap(alpha=4, p=[1, 2], rows=100)"
    assert "grid" not in explainers[1].model_dump()


def test_a_grid_under_a_label_tells_its_components_apart(tmp_path):
    grid = "{name: dte, label: DTE, grid: {epochs: [1, 2]}}"
    detectors = read(tmp_path, GOOD.replace("[dte, {name: dte, params: {epochs: 3}}]", f"[{grid}]")).detectors
    assert [detector.label for detector in detectors] == ["DTE(epochs=1)", "DTE(epochs=2)"]


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        ("exclude: [{detector: dte}]", {"dte(epochs=3)"}),
        ("exclude: [{detector: dte, table: x*}]", {"dte", "dte(epochs=3)"}),
        ("include: [{detector: [dte, d]}]", {"dte"}),
        ("include: [{explainer: random}]\nexclude: [{detector: 'dte(*'}]", {"dte"}),
        ("exclude: [{detector: 'dte*', explainer: 'ran*'}]", set()),
    ],
)
def test_include_and_exclude_choose_trials_by_label(tmp_path, rules, wanted):
    suite = read(tmp_path, f"{GOOD}{rules}")
    labels = suite.labels("detectors")
    assert {label for label in labels if suite.wants("table2-d4-5", label, "random")} == wanted


def test_limits_and_scope_are_typed(tmp_path):
    suite = read(tmp_path, f"{GOOD}timeout: 90\nmemory_limit: 2 GiB\nscope: flagged")
    assert (suite.timeout, suite.memory_limit, suite.scope) == (90, 2 * 2**30, "flagged")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[random]", "[{name: a, grid: {p: 2}}]", r"explainers\.0\.grid\.p: expected a list \(given: 2\)"),
        ("[random]", "[{name: a, grid: {p: []}}]", r"explainers\.0\.grid\.p: .*at least 1 item"),
        ("[random]", "[{name: a, grid: {p: [1, 1]}}]", r"explainers has 'a\(p=1\)' twice"),
        ("[random]", "[{name: a, params: {p: 1}, grid: {p: [2]}}]", "p is both in params and in grid"),
        ("[random]", "[{name: a, params: {random_state: 1}}]", "random_state is that of the trial, from the"),
        ("[random]", "[{name: a, grid: {random_state: [1]}}]", "random_state is that of the trial, from the"),
        ("[random]", "[random]\nexclude: [{}]", r"exclude\.0: a combination names a table"),
        ("[random]", "[random]\ninclude: []", "include: .*at least 1 item"),
        ("[random]", "[random]\nexclude: [{metric: a}]", r"exclude\.0\.metric: unknown key"),
        ("[random]", "[random]\nscope: all", "scope: .*'anomalies', 'detected' or 'flagged'"),
        ("[random]", "[random]\ntimeout: 0", "timeout: expected a number above 0"),
        ("[random]", "[random]\nmemory_limit: much", "memory_limit: expected a number of bytes"),
        ("{recipe: table2-d4-5}", "{recipe: a, release: b}", "either a recipe or a dataset or a release"),
        ("{recipe: table2-d4-5}", "{recipe: a, table: b}", "table, one of a release, goes with a release"),
        ("{recipe: table2-d4-5}", "{release: a, name: b}", "say which: table"),
        ("name: s", "name: s\ncolour: red", "colour: unknown key; known: controls, description, detectors"),
        ("name: s", "name: s/..", "name: expected text of the pattern"),
        ("{recipe: table2-d4-5}", "{}", r"tables\.0: a table names either a recipe or a dataset"),
        ("{recipe: table2-d4-5}", "{recipe: a, dataset: b}", "either a recipe or a dataset"),
        ("{recipe: table2-d4-5}", "{recipe: a, inject: {}}", "inject goes with a dataset"),
        ("{recipe: table2-d4-5}", "{recipe: a, label: b}", r"a table is called by name \(given: [^)]*\)$"),
        ("{recipe: table2-d4-5}", "{dataset: a, rows: 5}", "rows goes with a recipe"),
        ("{recipe: table2-d4-5}", "{recipe: a, rows: 0}", r"tables\.0\.rows: expected a number above 0"),
        ("{recipe: table2-d4-5}", "{dataset: a, inject: {ratio: 1}}", "ratio: expected a number below 1"),
        ("{recipe: table2-d4-5}", "{recipe: a}, {recipe: a}", "tables has 'a' twice"),
        ("[random]", "[random, random]", "explainers has 'random' twice"),
        ("[random]", "[random, {name: random, label: b}]", "'random' and 'b' are the same"),
        ("[random]", "[]", "explainers: .*at least 1 item"),
        ("[random]", "[random]\nseeds: [1, 1]", "seeds has a seed twice"),
        ("[random]", "[random]\nseeds: [-1]", r"seeds\.0: expected a number of at least 0"),
    ],
)
def test_a_wrong_suite_gives_one_line(tmp_path, old, new, message):
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path, GOOD.replace(old, new))
    assert "\n" not in str(error.value)
    assert "s.yaml" in str(error.value)


def test_an_unknown_name_lists_the_known():
    with pytest.raises(InputError, match=r"unknown suite 'quik'.*; known: .*, quick, table4-smoke"):
        load_suite("quik")


def test_a_suite_may_be_a_path(tmp_path):
    with pytest.raises(InputError, match=r"gone.yaml: cannot be read"):
        run_suite(tmp_path / "gone.yaml")


@pytest.mark.parametrize("epochs", ["3", "3.0"])
def test_components_that_are_the_same_are_refused_whatever_their_labels(tmp_path, epochs):
    same = f"{{name: dte, params: {{epochs: {epochs}}}, label: b}}"
    with pytest.raises(InputError, match=r"'dte\(epochs=3\)' and 'b' are the same"):
        read(tmp_path, GOOD.replace("epochs: 3}}]", f"epochs: 3}}}}, {same}]"))


class Mine:
    def __init__(self, power=1):
        self.power = power


def of_objects(*explainers):
    parts = {"tables": [{"recipe": "table2-d4-5"}], "detectors": ["dte"]}
    return Suite.model_validate({"name": "s", **parts, "explainers": explainers})


def test_an_object_goes_with_its_component_and_into_no_file():
    mine = Mine(2)
    (one,) = of_objects(Component.of_object(mine)).explainers
    assert (one.made_from, one.label) == (mine, "Mine")
    assert one.model_dump() == {"name": f"{__name__}:Mine", "params": {}, "label": "Mine"}
    (sent,) = pickle.loads(pickle.dumps(of_objects(Component.of_object(abs)))).explainers  # noqa: S301  # ours
    assert sent.made_from is abs
    assert sent.mark


def test_a_component_that_is_named_has_no_mark():
    one = Component(name="z_score")
    assert (one.made_from, one.mark) == ("z_score", "")


@pytest.mark.parametrize("key", ["object", "_object", "mark", "_mark", "made_from"])
def test_a_file_holds_no_object(tmp_path, key):
    with pytest.raises(InputError, match=key):
        read(tmp_path, GOOD.replace("[random]", f"[{{name: random, {key}: x}}]"))


def test_two_objects_of_one_class_are_two_explainers():
    suite = of_objects(Component.of_object(Mine(1)), Component.of_object(Mine(2), label="other"))
    assert suite.labels("explainers") == ["Mine", "other"]
    with pytest.raises(ValueError, match="Mine' twice"):
        of_objects(Component.of_object(Mine(1)), Component.of_object(Mine(2)))
    same = Component.of_object(Mine(1))
    with pytest.raises(ValueError, match="are the same"):
        of_objects(same, same.model_copy(update={"label": "again"}))


def test_an_object_whose_label_is_taken_is_labelled_by_its_module_too():
    def z_score(detector, background, X):
        return X

    suite = of_objects(Component(name="z_score"), Component.of_object(z_score))
    assert suite.labels("explainers") == ["z_score", f"{__name__}:z_score"]
    assert suite.explainers[1].made_from is z_score
