import pytest

from xadbench.datasets import InputError
from xadbench.generator.recipe import load_recipe
from xadbench.generator.releases.spec import Release, load_release, release_names

GOOD = """
name: mine
version: 1.2.3
date: 2026-01-31
licence: CC-BY-4.0
description: A test.
tables:
  - recipe: table2-d4-5
    seeds: [0, 7]
  - inject: {dataset: "bundled:wine", kinds: [local, {kind: additive, mean_in_std: 2}], ratio: 0.2}
    seeds: [3]
"""


@pytest.fixture
def write(tmp_path):
    def write_release(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return write_release


def test_a_release_names_its_tables(write):
    release = load_release(write(GOOD))
    tables = [table for entry in release.tables for table in entry.tables]
    assert tables == ["table2-d4-5/seed-0", "table2-d4-5/seed-7", "injected-wine/seed-3"]
    assert release.n_tables == 3


def test_recipes_and_kinds_are_resolved(write):
    recipe, injection = (entry.source for entry in load_release(write(GOOD)).tables)
    assert recipe == load_recipe("table2-d4-5")
    assert [kind.kind for kind in injection.kinds] == ["local", "additive"]
    assert (injection.kinds[0].strength, injection.kinds[1].mean_in_std) == (1.05, 2.0)


def test_a_resolved_release_is_a_release(write):
    release = load_release(write(GOOD))
    assert Release.model_validate(release.model_dump(mode="json", exclude_none=True)) == release


def test_a_recipe_may_come_from_a_file(write, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "{name: own, rows: 50, anomaly_ratio: 0.1, graph: {nodes: 3, edges: 1}, anomalies: [global]}"
    )
    release = load_release(write(GOOD.replace("recipe: table2-d4-5", f"recipe: {recipe}")))
    assert release.tables[0].tables == ("own/seed-0", "own/seed-7")


@pytest.mark.parametrize("name", release_names())
def test_every_shipped_release_loads(name):
    assert load_release(name).name == name


def test_v1_is_the_paper_and_what_goes_beyond():
    release = load_release("v2")
    folders = [entry.folder for entry in release.tables]
    assert [name for name in folders if name.startswith("table2")] == [
        f"table2-d{d}-{ratio}" for d in (4, 10, 50, 100, 1000) for ratio in (5, 10)
    ]
    assert folders[10:13] == ["contextual-d10", "contextual-d30", "contextual-d100"]
    assert folders[13:] == [
        f"injected-{name}" for name in ("PageBlocks", "Wilt", "campaign", "landsat", "vertebral")
    ]
    assert all(entry.seeds == (0, 1, 2, 3, 4) for entry in release.tables)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "table2-d4-5",
            "table2-d4",
            r"mine.yaml: tables.0.recipe: unknown recipe 'table2-d4'.*; known: .*table2",
        ),
        ("table2-d4-5", "none.yaml", r"mine.yaml: tables.0.recipe: none.yaml: cannot be read"),
        (
            "bundled:wine",
            "bundled:beer",
            r"mine.yaml: tables.1.inject.dataset: unknown bundled data set 'beer'",
        ),
        (
            "bundled:wine",
            "adbench:Wild",
            r"mine.yaml: tables.1.inject.dataset: unknown ADBench data set 'Wild'",
        ),
        (
            "bundled:wine",
            "wine.csv",
            r"mine.yaml: tables.1.inject.dataset: unknown data set 'wine.csv'; expec",
        ),
        ("[local,", "[loud,", r"mine.yaml: tables.1.inject.kinds"),
        ("ratio: 0.2", "ratio: 2", r"tables.1.inject.ratio: expected a number below 1"),
        ("seeds: [0, 7]", "seeds: [7, 7]", r"tables.0.seeds: seeds are \[7, 7\]; expected each once"),
        ("seeds: [0, 7]", "seeds: []", r"tables.0.seeds"),
        ("seeds: [0, 7]", "seeds: [-1]", r"tables.0.seeds.0"),
        (
            "seeds: [3]",
            "seeds: [3]\n    folder: ../up",
            r"tables.1.folder: folder is '../up'; expected letters",
        ),
        (
            "seeds: [3]",
            "seeds: [3]\n    folder: Manifest.json",
            r"tables.1.folder: folder is 'Manifest.json'; expected no ending",
        ),
        (
            "seeds: [3]",
            "seeds: [3]\n    folder: table2-d4-5",
            r"two entries of tables go to .* 'table2-d4-5'",
        ),
        (
            "seeds: [3]",
            "seeds: [3]\n    recipe: table2-d4-5",
            r"tables.1: expected either recipe: or inject:",
        ),
        ("  - recipe: table2-d4-5\n   ", "  -", r"tables.0: expected either recipe: or inject:"),
        ("version: 1.2.3", "version: two", r"version: expected text of the pattern"),
        ("licence: CC-BY-4.0", "licence: free for all", r"licence: expected text of the pattern"),
        ("name: mine", "name: ..", r"name: expected text of the pattern"),
        ("name: mine", "nome: mine", r"name: required, but not given"),
    ],
)
def test_a_wrong_release_gives_one_line(write, old, new, message):
    assert old in GOOD
    with pytest.raises(InputError, match=message) as error:
        load_release(write(GOOD.replace(old, new)))
    assert "\n" not in str(error.value)


def test_an_unknown_release_names_the_known():
    with pytest.raises(InputError, match=r"unknown release 'v0'.*; known: mini, v2; or give a path"):
        load_release("v0")
