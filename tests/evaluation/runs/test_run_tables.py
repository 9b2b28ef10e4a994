"""Tables are made when their first trial runs, and not to resume what is finished."""

import pytest

from xadbench.datasets import InputError, write_table
from xadbench.datasets.common.errors import Infeasible
from xadbench.evaluation import detectors, explainers, run_suite
from xadbench.evaluation.results.requested import read_requested_records
from xadbench.evaluation.runs import run_tables
from xadbench.evaluation.runs.dry_run import estimate
from xadbench.evaluation.suite import tables
from xadbench.evaluation.suite.spec import Suite, TableSpec
from xadbench.evaluation.suite.tables import identify, load_source


@pytest.fixture
def made(monkeypatch):
    """The seeds of the tables that are made, in turn."""
    seeds, load = [], tables.load_source
    monkeypatch.setattr(
        run_tables, "load_source", lambda spec, seed, **how: seeds.append(seed) or load(spec, seed, **how)
    )
    return seeds


def test_a_finished_run_is_resumed_without_its_tables(small_suite, tmp_path, made):
    first = run_suite(small_suite, tmp_path / "run")
    assert made == [0, 1]
    finished = []
    again = run_suite(small_suite, tmp_path / "run", lambda record, is_new: finished.append(is_new))
    assert (again, finished, made) == (first, [False] * 12, [0, 1])


def test_a_table_is_made_when_its_first_trial_runs(small_suite, tmp_path, made):
    seen = []
    run_suite(small_suite, tmp_path / "run", lambda record, is_new: seen.append((record.seed, [*made])))
    assert seen == [(0, [0])] * 6 + [(1, [0, 1])] * 6
    assert len(read_requested_records(tmp_path / "run")[0]) == 12


def test_only_the_table_of_what_is_left_is_made_again(small_suite, tmp_path, made, put_run):
    records = put_run(tmp_path / "run")
    made.clear()
    (tmp_path / "run" / "trials" / f"{records[-1].key}.json").unlink()
    assert run_suite(small_suite, tmp_path / "run")[-1].scores == records[-1].scores
    assert made == [1]


def test_a_dry_run_makes_no_table(small_suite, tmp_path, made):
    assert estimate(small_suite, tmp_path / "run").n_trials == 12
    assert made == []


def test_workers_make_the_tables_and_the_trials_are_the_same(small_suite, tmp_path, made, monkeypatch):
    monkeypatch.delitem(detectors.DETECTORS, "distance")  # workers cannot import what is of the tests
    monkeypatch.delitem(explainers.EXPLAINERS, "faulty")
    parts = small_suite.model_dump(exclude={"detectors"}) | {"detectors": ["gaussian"]}
    suite = Suite.model_validate(parts)
    one = run_suite(suite, tmp_path / "one")
    made.clear()
    two = run_suite(suite, tmp_path / "two", workers=2)
    assert made == []
    assert [(each.key, each.scores) for each in two] == [(each.key, each.scores) for each in one]
    assert {path.name for path in (tmp_path / "two" / "tables").iterdir()} == {
        path.name for path in (tmp_path / "one" / "tables").iterdir()
    }


def test_the_identity_is_that_of_the_content_of_files_and_not_of_names(tmp_path):
    recipe = TableSpec(recipe="table2-d4-5", rows=200)
    assert identify(recipe, 0) == identify(recipe.model_copy(update={"name": "other"}), 0)
    assert identify(recipe, 0) != identify(recipe, 1)
    write_table(load_source(recipe, 0).table, tmp_path / "t")
    folder = TableSpec(dataset=str(tmp_path / "t"))
    before = identify(folder, 0)
    assert identify(folder, 0) == before
    (tmp_path / "t" / "samples.parquet").write_bytes(b"altered")
    assert identify(folder, 0) != before
    assert identify(TableSpec(dataset="mine.py:rows"), 0) is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"recipe": "table2-d4-6"}, "unknown recipe"),
        ({"recipe": "table2-d4-5", "rows": 3}, "rows"),
        ({"dataset": "bundled:vine"}, "unknown bundled data set 'vine'.*wine"),
        ({"dataset": "adbench:vine"}, "unknown ADBench data set 'vine'"),
        ({"dataset": "gone.csv"}, "gone.csv"),
        ({"dataset": "gone"}, "unknown data set 'gone'"),
        ({"dataset": "gone.py:rows"}, "gone.py"),
        ({"dataset": "bundled:wine", "label": "y"}, "has labels of its own"),
        ({"dataset": "bundled:wine", "inject": {"kinds": ["globol"]}}, "globol.*global"),
        ({"dataset": "bundled:wine", "inject": {"kinds": ["mechanism"]}}, "needs a network"),
    ],
)
def test_wrong_input_is_found_before_the_first_table(small_suite, tmp_path, made, table, message):
    good = small_suite.tables[0].model_dump()
    suite = Suite.model_validate(small_suite.model_dump() | {"tables": [good, table]})
    with pytest.raises(InputError, match=message):
        run_suite(suite, tmp_path / "run")
    assert made == []
    assert not (tmp_path / "run").exists()


def test_trials_on_an_infeasible_table_fail_and_it_is_not_tried_again(small_suite, tmp_path, monkeypatch):
    tried = []

    def load(spec, seed, **how):
        tried.append(seed)
        if seed == 1:
            raise Infeasible("out of reach")
        return load_source(spec, seed, **how)

    monkeypatch.setattr(run_tables, "load_source", load)
    first = run_suite(small_suite, tmp_path / "run")
    assert [(record.seed, record.status) for record in first] == [(0, "ok")] * 6 + [(1, "error")] * 6
    assert {record.reason for record in first[6:]} == {"out of reach"}
    assert run_suite(small_suite, tmp_path / "run") == first
    assert tried == [0, 1]
    found = estimate(small_suite, tmp_path / "run")
    assert (found.n_trials, found.n_done, found.infeasible) == (6, 6, {"out of reach": 6})
