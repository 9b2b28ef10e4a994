import shutil

import pytest

from xadbench.datasets import InputError
from xadbench.datasets.files import read_table
from xadbench.evaluation import run_suite
from xadbench.evaluation.explainers import ZScore
from xadbench.evaluation.runs.jobs import plan
from xadbench.evaluation.suite.expand import combinations, n_trials, resolve
from xadbench.evaluation.suite.spec import Combination, Component, Suite
from xadbench.evaluation.trial import key
from xadbench.generator import simulation
from xadbench.generator.releases.build import build
from xadbench.generator.releases.spec import load_release


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """Two families of tables, of seeds 0 and 1 each."""
    mini = load_release("mini")
    return build(mini.model_copy(update={"tables": mini.tables[::2]}), tmp_path_factory.mktemp("r") / "mini")


def suite_on(*tables, **others):
    base = {"name": "s", "detectors": ["distance"], "explainers": ["z_score", "random"]}
    return Suite.model_validate(base | {"tables": tables} | others)


def plan_of(suite):
    return plan(resolve(suite))


def test_a_release_stands_for_its_tables_and_the_seed_chooses(release, tmp_path):
    records = run_suite(suite_on({"release": str(release)}, seeds=[1]), tmp_path)
    assert list(dict.fromkeys(r.table.label for r in records)) == ["injected-wine", "table2-d4-5"]
    oracles = {r.table.label: r.status for r in records if r.explainer.name == "oracle"}
    assert oracles == {"injected-wine": "skipped", "table2-d4-5": "ok"}


def test_a_released_table_is_that_of_its_recipe_to_the_trials_key(release):
    from_release = plan_of(suite_on({"release": str(release), "table": "table2-d4-5"}))
    from_recipe = plan_of(suite_on({"recipe": "table2-d4-5"}))
    assert [job.trials for job in from_release] == [job.trials for job in from_recipe]


@pytest.mark.parametrize(
    ("spec", "seeds", "message"),
    [
        ({"table": "wine"}, [0], "unknown table of release .*'wine'.*; known: injected-wine, table2-d4-5"),
        ({}, [0, 2], "unknown seed of injected-wine in release .*'2'.*; known: 0, 1"),
    ],
)
def test_what_a_release_lacks_is_named(release, spec, seeds, message):
    with pytest.raises(InputError, match=message):
        plan_of(suite_on({"release": str(release), **spec}, seeds=seeds))


def test_a_table_that_the_manifest_does_not_know_is_refused(release, tmp_path):
    copy = shutil.copytree(release, tmp_path / "copy")
    shutil.rmtree(copy / "table2-d4-5" / "seed-0")
    shutil.copytree(copy / "table2-d4-5" / "seed-1", copy / "table2-d4-5" / "seed-0")
    read_table(copy / "table2-d4-5" / "seed-0")
    with pytest.raises(InputError, match="not the table that the release's manifest names"):
        plan_of(suite_on({"release": str(copy), "table": "table2-d4-5"}))


def test_a_folder_that_is_no_release_is_refused(tmp_path):
    with pytest.raises(InputError, match="not the manifest of a finished release"):
        n_trials(suite_on({"release": str(tmp_path)}))


def test_excluded_trials_are_not_made_and_controls_stay(small_suite):
    excluded = small_suite.model_copy(update={"exclude": (Combination(explainer="z*"),)})
    ((*_, explainers), _) = combinations(excluded)
    assert [one.name for one in explainers] == [
        "random",
        "oracle",
        "oracle_network",
        "truth",
        "inverted_truth",
    ]
    assert n_trials(excluded) == 10


def test_a_detector_without_explainers_is_not_run(small_suite):
    both = small_suite.model_copy(
        update={
            "detectors": (*small_suite.detectors, Component(name="iforest")),
            "exclude": (Combination(detector="distance"),),
        }
    )
    assert {detector.name for _, _, detector, _ in combinations(both)} == {"iforest"}


@pytest.mark.parametrize(
    ("part", "known"), [("table", "table2-d10-5"), ("detector", "distance"), ("explainer", "random")]
)
def test_a_combination_of_unknown_labels_is_refused(small_suite, part, known):
    wrong = small_suite.model_copy(update={"include": (Combination(**{part: "randon"}),)})
    with pytest.raises(
        InputError, match=rf"unknown label in include\.0\.{part}: 'randon'.*; known: .*{known}"
    ):
        n_trials(wrong)


def test_a_suite_of_which_nothing_is_left_is_refused(small_suite):
    nothing = small_suite.model_copy(update={"exclude": (Combination(explainer=("z*", "random")),)})
    with pytest.raises(InputError, match="suite small: include and exclude leave no trial of an explainer"):
        plan_of(nothing)


def test_controls_are_there_unless_they_are_switched_off(small_suite):
    alone = small_suite.model_copy(update={"explainers": (Component(name="z_score"),)})
    (*_, explainers), *_ = combinations(alone)
    assert [one.name for one in explainers] == [
        "z_score",
        "random",
        "oracle",
        "oracle_network",
        "truth",
        "inverted_truth",
    ]
    (*_, explainers), *_ = combinations(alone.model_copy(update={"controls": False}))
    assert [one.name for one in explainers] == ["z_score"]


def test_a_control_that_is_named_may_be_excluded_where_the_others_are_off(small_suite):
    named = {"explainers": (Component(name="z_score"), Component(name="truth")), "controls": False}
    suite = small_suite.model_copy(update=named | {"exclude": (Combination(explainer="truth"),)})
    (*_, explainers), *_ = combinations(suite)
    assert [one.name for one in explainers] == ["z_score"]


def test_a_control_cannot_be_excluded_by_itself(small_suite):
    excluded = small_suite.model_copy(update={"exclude": (Combination(explainer="truth"),)})
    with pytest.raises(InputError, match=r"exclude.0.explainer: 'truth' is a control; controls: false"):
        n_trials(excluded)


def test_a_random_that_is_named_may_be_excluded_and_one_that_is_not_stays(small_suite):
    excluded = small_suite.model_copy(update={"exclude": (Combination(explainer="rand*"),)})
    assert n_trials(excluded) == 10
    unnamed = excluded.model_copy(update={"explainers": (Component(name="z_score"),), "exclude": ()})
    assert n_trials(unnamed) == 12


def test_components_are_made_once_a_seed_and_networks_once_a_table(monkeypatch, small_suite):
    made, built = [], []
    monkeypatch.setattr(key, "make_explainer", lambda name, **how: made.append(name) or ZScore())
    build_network = simulation.build_network
    monkeypatch.setattr(simulation, "build_network", lambda *of: built.append(of) or build_network(*of))
    tables = [{"recipe": "table2-d4-5", "rows": rows} for rows in (200, 201)]
    named = [spec | {"name": f"t{spec['rows']}"} for spec in tables]
    both = suite_on(*named, detectors=["distance", "iforest"], explainers=["z_score"], seeds=[0, 1])
    simulation._last_network.cache_clear()
    plan_of(both)
    assert sorted(made) == ["random", "random", "z_score", "z_score"]
    assert len(built) == 4
