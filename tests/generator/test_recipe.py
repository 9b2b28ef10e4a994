import json
import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.testing import assert_allclose, assert_array_equal

from xadbench.datasets import InputError, LabelledTable, content_hash
from xadbench.generator import generate, inject, load_recipe, recipe_names, with_rows
from xadbench.generator.anomalies.registry import KINDS
from xadbench.generator.recipe import Recipe
from xadbench.generator.simulation import build_network

# Table 2 of the paper: features, edges, kinds.
TABLE_2 = {
    4: (2, ["global", "cluster"]),
    10: (4, ["global", "cluster", "local"]),
    50: (12, ["cluster", "global", "local", "additive", "multiplicative"]),
    100: (30, ["cluster", "global", "local", "additive", "multiplicative"]),
    1000: (30, ["cluster", "global", "local", "additive", "multiplicative"]),
}
GOOD = """
name: mine
rows: 100
anomaly_ratio: 0.1
graph: {nodes: 4, edges: 6}
anomalies: [global, {kind: local, strength: 2}]
"""


@pytest.fixture
def write(tmp_path):
    def write_recipe(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return write_recipe


def test_table_2_is_shipped_whole():
    assert set(recipe_names()) >= {f"table2-d{d}-{percent}" for d in TABLE_2 for percent in (5, 10)}


@pytest.mark.parametrize("name", recipe_names())
def test_a_shipped_recipe_is_called_like_its_file(name):
    assert load_recipe(name).name == name


@pytest.mark.parametrize("d", TABLE_2)
@pytest.mark.parametrize("percent", [5, 10])
def test_a_shipped_recipe_is_that_of_table_2(d, percent):
    recipe = load_recipe(f"table2-d{d}-{percent}")
    edges, kinds = TABLE_2[d]
    assert (recipe.rows, recipe.anomaly_ratio) == (5000, percent / 100)
    assert (recipe.graph.nodes, recipe.graph.edges) == (d, edges)
    assert [kind.kind for kind in recipe.anomalies] == kinds
    assert recipe.seeds == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("d", [4, 10, 50, 100])
def test_a_shipped_recipe_gives_a_table_of_that_size(d):
    table = generate(load_recipe(f"table2-d{d}-5"))
    assert table.X.shape == (5000, d)
    assert table.y.sum() == 250
    counts = np.bincount(table.kind)[1:]
    assert len(counts) == len(table.kinds) - 1
    assert np.ptp(counts) <= 1


@pytest.mark.slow  # a table as wide is among the golden ones
def test_the_largest_recipe():
    recipe = load_recipe("table2-d1000-10")
    table = generate(recipe)
    assert table.X.shape == (5000, 1000)
    assert build_network(recipe).number_of_edges() == 30


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_only_masked_cells_differ_from_the_clean_twin(small_recipe, kind):
    table = generate(small_recipe, seed=2)
    rows = table.kind == table.kinds.index(kind)
    assert rows.sum() in {18, 19}
    if kind == "mechanism":  # it spreads
        assert (table.moved >= table.mask)[rows].all()
    else:
        assert_array_equal(table.moved[rows], table.mask[rows])
    if kind != "cluster":
        assert len(np.unique(table.mask[rows], axis=0)) > 1  # every row has features of its own


def test_normal_rows_are_their_clean_twins_and_the_networks_rows(small_recipe):
    table = generate(small_recipe, seed=2)
    assert_array_equal(table.X[~table.y], table.clean[~table.y])
    assert_array_equal(table.clean, build_network(small_recipe, 2).simulate(600, seed=2))


def test_cluster_rows_are_about_three_times_the_rows():
    recipe = load_recipe("table2-d50-10").model_copy(update={"rows": 20_000})
    table = generate(recipe)
    gamma = [own.family == "gamma" for own in build_network(recipe).noise.values()]
    root = [build_network(recipe).in_degree(node) == 0 for node in build_network(recipe)]
    plain = np.array(root) & ~np.array(gamma)  # a multiplied shape changes more than the scale
    cluster = table.X[table.kind == table.kinds.index("cluster")][:, plain]
    assert table.mask[table.kind == table.kinds.index("cluster")].all()
    assert_allclose(cluster.std(axis=0), 3 * table.clean[:, plain].std(axis=0), rtol=0.3)


def test_the_seed_decides_everything(small_recipe):
    assert content_hash(generate(small_recipe)) == content_hash(generate(small_recipe, seed=0))
    assert content_hash(generate(small_recipe)) != content_hash(generate(small_recipe, seed=1))
    one, two = (build_network(small_recipe, seed) for seed in (0, 1))
    assert set(one.edges) != set(two.edges)
    assert all(one.noise[node] != two.noise[node] for node in one)


def test_recipes_that_differ_in_anomalies_share_their_clean_rows():
    few, many = (generate(load_recipe(f"table2-d10-{percent}"), seed=3) for percent in (5, 10))
    assert_array_equal(few.clean, many.clean)


def test_provenance_holds_the_whole_recipe(small_recipe):
    provenance = json.loads(json.dumps(generate(small_recipe, seed=6).provenance))
    assert provenance["seed"] == 6
    assert provenance["generator"] == "generate"
    assert Recipe.model_validate(provenance["recipe"]) == small_recipe
    assert provenance["recipe"]["anomalies"][0]["strength"] == 3.0
    assert len(provenance["recipe"]["noise"]) == 4


def test_a_recipe_is_read_from_a_path(write):
    recipe = load_recipe(write(GOOD))
    assert recipe == load_recipe(str(write(GOOD)))
    assert [(kind.kind, kind.strength) for kind in recipe.anomalies] == [("global", 1.025), ("local", 2.0)]
    assert generate(recipe).kinds == ("normal", "global", "local")


def test_noise_may_be_narrowed(write):
    recipe = load_recipe(write(GOOD + "noise: [{family: normal, mean: [0, 0], std: [1, 1]}]"))
    assert {(own.family, own.mean, own.std) for own in build_network(recipe).noise.values()} == {
        ("normal", 0, 1)
    }


def test_every_noise_family_comes_up():
    noise = build_network(load_recipe("table2-d1000-5")).noise.values()
    counts = {
        family: sum(own.family == family for own in noise)
        for family in ("uniform", "normal", "exponential", "gamma")
    }
    assert all(abs(count - 250) < 5 * math.sqrt(1000 * 0.25 * 0.75) for count in counts.values())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("edges: 6", "edges: 7", r"graph.edges: 7 edges among 4 nodes; expected 0 to d\(d-1\)/2 = 6"),
        ("nodes: 4", "nodes: 1", "graph.nodes: expected a number of at least 2"),
        ("nodes: 4, ", "", "graph.nodes: required, but not given"),
        ("ratio: 0.1", "ratio: 1.5", r"anomaly_ratio: expected a number below 1 \(given: 1.5\)"),
        ("ratio: 0.1", "ratio: 0", "anomaly_ratio: expected a number above 0"),
        ("ratio: 0.1", "ratio: .nan", "anomaly_ratio: "),
        (
            "ratio: 0.1",
            "ratio: 0.01",
            "anomalies: a ratio of 0.01 gives 1 anomalies in 100 rows; expected at least 2",
        ),
        ("rows: 100", "rows: many", "rows: expected a whole number"),
        ("rows: 100", "rows: 100\nrows: 200", "key 'rows' given twice"),
        ("rows: 100", "rows: 100\nrwos: 200", "rwos: unknown key.*; known: anomalies, anomaly_ratio, graph"),
        ("strength", "strnegth", "anomalies.1.local.strnegth: unknown key"),
        ("[global", "[loud", "anomalies.0: unknown kind 'loud'; known: cluster, global, local"),
        ("[global", "[local", "anomalies: anomaly kinds local, local; expected each at most once"),
        ("name: mine", "name: mine\nseeds: [-1]", "seeds.0: expected a number of at least 0"),
        (
            "name: mine",
            "name: mine\nnoise: [{family: cauchy}]",
            "noise.0: unknown family 'cauchy'; known: ",
        ),
        (
            "name: mine",
            "name: mine\nnoise: [{family: gamma, scale: [2, 1]}]",
            "noise.0.gamma.scale: the range ends",
        ),
        ("name: mine", "name: [", "not valid YAML"),
    ],
)
def test_a_bad_recipe_gives_one_line_that_names_file_and_key(write, old, new, message):
    assert old in GOOD
    with pytest.raises(
        InputError, match=rf"^\S+mine\.yaml: {message}" if "twice" not in message else message
    ) as caught:
        load_recipe(write(GOOD.replace(old, new)))
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_names_the_known_ones():
    with pytest.raises(
        InputError, match=r"unknown recipe 'tabel2'.*; known: .*table2-d4-5.*; or give a path"
    ):
        load_recipe("tabel2")


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"/nowhere/mine\.yaml: cannot be read"):
        load_recipe(Path("/nowhere/mine.yaml"))


@pytest.mark.parametrize("seed", [-1, 0.5])
def test_a_bad_seed_is_refused(small_recipe, seed):
    with pytest.raises(InputError, match=f"seed is {seed}; expected an integer of at least 0"):
        generate(small_recipe, seed=seed)


def test_a_table_is_made_from_a_recipe_its_name_or_its_path(tmp_path):
    recipe = with_rows(load_recipe("table2-d4-5"), 60)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    assert content_hash(generate(path, seed=1)) == content_hash(generate(recipe, seed=1))
    assert generate("table2-d4-5").provenance["recipe"]["name"] == "table2-d4-5"
    with pytest.raises(InputError, match="table2-d4-5"):
        generate("table2-d4-6")
    with pytest.raises(InputError, match=r"of type int.*\.yaml"):
        generate(4)


def test_anomalies_go_into_an_array_as_into_a_table_of_normal_rows():
    X = np.random.default_rng(0).standard_normal((60, 4))
    made = inject(X, kinds=["global"], seed=0)
    as_normal = inject(LabelledTable(X, np.zeros(60, dtype=bool)), kinds=["global"], seed=0)
    assert content_hash(made) == content_hash(as_normal)
