import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.suite import load_suite, suite_names

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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: s", "name: s\ncolour: red", "colour: unknown key; known: baseline, description, detectors"),
        ("name: s", "name: s/..", "name: String should match"),
        ("{recipe: table2-d4-5}", "{}", r"tables\.0: a table names either a recipe or a dataset"),
        ("{recipe: table2-d4-5}", "{recipe: a, dataset: b}", "either a recipe or a dataset"),
        ("{recipe: table2-d4-5}", "{recipe: a, inject: {}}", "inject goes with a dataset"),
        ("{recipe: table2-d4-5}", "{dataset: a, rows: 5}", "rows goes with a recipe"),
        ("{recipe: table2-d4-5}", "{recipe: a, rows: 0}", r"tables\.0\.rows: .*greater than 0"),
        ("{recipe: table2-d4-5}", "{dataset: a, inject: {ratio: 1}}", "ratio: .*less than 1"),
        ("{recipe: table2-d4-5}", "{recipe: a}, {recipe: a}", "tables has 'a' twice"),
        ("[random]", "[random, random]", "explainers has 'random' twice"),
        ("[random]", "[]", "explainers: .*at least 1 item"),
        ("[random]", "[random]\nseeds: [1, 1]", "seeds has a seed twice"),
        ("[random]", "[random]\nseeds: [-1]", r"seeds\.0: .*greater than or equal to 0"),
    ],
)
def test_a_wrong_suite_gives_one_line(tmp_path, old, new, message):
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path, GOOD.replace(old, new))
    assert "\n" not in str(error.value)
    assert "s.yaml" in str(error.value)


def test_an_unknown_name_lists_the_known():
    with pytest.raises(InputError, match=r"unknown suite 'quik'; known: .*, quick, table4-smoke"):
        load_suite("quik")
