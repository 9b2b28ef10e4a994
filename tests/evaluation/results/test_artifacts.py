"""What a run keeps beside its records: values row by row, attributions, table summaries of its tables."""

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import run_suite
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.results import store
from xadbench.evaluation.results.artifacts import lacking, load_attributions, load_rows
from xadbench.evaluation.results.table_summary import N_BINS, N_EXAMPLES, read_summary
from xadbench.evaluation.runs import execution
from xadbench.evaluation.runs.execution import run_job
from xadbench.evaluation.runs.jobs import plan
from xadbench.evaluation.suite.spec import Component, Suite, TableSpec, saving
from xadbench.evaluation.suite.tables import load_source


@pytest.fixture
def saving_suite(small_suite):
    return saving(small_suite, ["rows", "attributions"])


def scope_means(rows, column):
    """Return the weighted mean of the values of each trial, scope and metric."""
    parts = [rows.assign(scope=scope, weight=rows[scope]) for scope in ("anomalies", "detected", "flagged")]
    kept = pd.concat(parts).dropna(subset=column)
    groups = kept.assign(sum=kept[column] * kept["weight"]).groupby(
        ["key", "scope", "metric"], observed=True
    )[["sum", "weight"]]
    return groups.sum().pipe(lambda of: of["sum"] / of["weight"])


def test_the_values_of_rows_average_to_the_scores(tmp_path, put_run):
    records = put_run(tmp_path, "rows", "attributions")
    rows = load_rows(tmp_path)
    assert set(rows["key"]) == {record.key for record in records}
    for prefix, column in (("", "value"), ("adjusted_", "adjusted")):
        for (key, scope, metric), mean in scope_means(rows, column).items():
            (record,) = (one for one in records if one.key == key)
            score = record.scores[scope][f"{prefix}{metric}"]
            assert mean == pytest.approx(np.nan if score is None else score, nan_ok=True)


def test_the_values_of_rows_make_up_a_ratio_over_them(small_suite, tmp_path):
    suite = small_suite.model_copy(update={"metrics": ("sufficiency",), "save": ("rows",), "seeds": (0,)})
    records = {record.key: record for record in run_suite(suite, tmp_path)}
    rows = load_rows(tmp_path)
    own = rows[rows["metric"] == "sufficiency"]
    for key, of in own[["value", "total"]].mul(own["flagged"], axis=0).groupby(own["key"], observed=True):
        score = records[key].scores["flagged"]["sufficiency"]
        assert of["value"].sum() / of["total"].sum() == pytest.approx(score)
    assert rows[rows["metric"] != "sufficiency"]["total"].isna().all()


def test_rows_of_a_run_from_before_ratios_and_weights_are_read(saving_suite, tmp_path, put_run):
    put_run(tmp_path, "rows", "attributions")
    expected = load_rows(tmp_path)
    for path in (tmp_path / "rows").iterdir():
        old = pd.read_parquet(path).drop(columns="total")
        old.astype(dict.fromkeys(("anomalies", "detected", "flagged"), bool)).to_parquet(path, index=False)
    run_suite(saving_suite, tmp_path)
    pd.testing.assert_frame_equal(load_rows(tmp_path), expected)


def test_rows_carry_labels_and_kinds(saving_suite, tmp_path, put_run):
    put_run(tmp_path, "rows", "attributions")
    rows = load_rows(tmp_path)
    source = load_source(saving_suite.tables[0], 0)
    own = rows[(rows["seed"] == 0) & (rows["metric"] == "ndcg_m") & (rows["explainer"] == "z_score")]
    assert set(own["detector"]) == {"distance"}
    assert own["kind"].tolist() == [source.table.kinds[source.table.kind[row]] for row in own["row"]]
    assert own["anomalies"].tolist() == source.table.y[own["row"]].tolist()
    assert not own["row"].duplicated().any()


def test_attributions_are_those_of_the_explained_rows(saving_suite, tmp_path, put_run):
    records = put_run(tmp_path, "rows", "attributions")
    source = load_source(saving_suite.tables[0], 0)
    (truth,) = (one for one in records if one.explainer.name == "truth" and one.seed == 0)
    kept = load_attributions(tmp_path, truth.key)
    assert tuple(kept.columns) == source.table.feature_names
    row = kept.index.get_level_values("row")
    assert (kept.to_numpy() == source.table.mask[row]).all()
    assert sum(kept.index.get_level_values("detected")) == truth.scores["detected"]["n_rows"]


def test_nothing_is_kept_unasked(tmp_path, put_run):
    put_run(tmp_path)
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"run.json", "requested.parquet", "trials", "tables", "made", "results.parquet"}
    with pytest.raises(InputError, match="--save rows"):
        load_rows(tmp_path)
    with pytest.raises(InputError, match="--save attributions"):
        load_attributions(tmp_path, "0" * 64)


def test_workers_keep_the_same(saving_suite, tmp_path, monkeypatch):
    monkeypatch.undo()  # a worker does not know the stand-ins
    suite = saving_suite.model_copy(update={"detectors": (Component(name="gaussian"),)})
    run_suite(suite, tmp_path / "alone")
    run_suite(suite, tmp_path / "together", workers=2)
    pd.testing.assert_frame_equal(load_rows(tmp_path / "alone"), load_rows(tmp_path / "together"))
    names = [path.name for path in (tmp_path / "alone" / "attributions").iterdir()]
    assert len(names) == 12
    for name in names:
        alone, together = (
            load_attributions(tmp_path / folder, name.removesuffix(".parquet"))
            for folder in ("alone", "together")
        )
        pd.testing.assert_frame_equal(alone, together)


def test_a_resumed_run_keeps_what_it_kept(saving_suite, tmp_path, put_run):
    records = put_run(tmp_path, "rows", "attributions")
    before = load_rows(tmp_path)
    (tmp_path / "trials" / f"{records[0].key}.json").unlink()  # as if killed between file and record
    (tmp_path / "rows.parquet").unlink()
    run_suite(saving_suite, tmp_path)
    pd.testing.assert_frame_equal(load_rows(tmp_path), before)


def test_what_was_finished_before_is_said_to_lack_it_and_not_run_again(small_suite, tmp_path, stand_ins):
    run_suite(small_suite, tmp_path)
    n_fits = stand_ins.Distance.n_fits
    more = small_suite.model_copy(update={"seeds": (0, 1, 2), "save": ("rows",)})
    records = run_suite(more, tmp_path)
    assert stand_ins.Distance.n_fits == n_fits + 1
    assert set(load_rows(tmp_path)["seed"]) == {2}
    (gap,) = lacking(tmp_path, records, ["rows"])
    assert gap.startswith("12 of 18 trials with scores have no rows kept")


@pytest.mark.parametrize("content", [b"PAR1 no more", pd.DataFrame({"a": [1]}).to_parquet()])
def test_a_kept_file_that_was_spoilt_ends_no_later_run(saving_suite, tmp_path, content, put_run):
    spoilt, *_ = put_run(tmp_path, "rows", "attributions")
    for what in ("rows", "attributions"):
        (tmp_path / what / f"{spoilt.key}.parquet").write_bytes(content)
    records = run_suite(saving_suite, tmp_path)
    assert set(load_rows(tmp_path)["key"]) == {record.key for record in records} - {spoilt.key}
    n_lacking = [gap[:7] for gap in lacking(tmp_path, records, ["rows", "attributions"])]
    assert n_lacking == ["1 of 12"] * (2 if content.startswith(b"PAR1 ") else 1)  # the other can be opened
    with pytest.raises(InputError, match=r"attributions"):
        load_attributions(tmp_path, spoilt.key)


def test_what_cannot_be_kept_is_a_fault_of_its_trial_alone(saving_suite, tmp_path, monkeypatch):
    keep, failed = execution.save, []

    def fail_once(run, key, *arguments):
        if not failed:
            failed.append(key)
            raise RuntimeError("not now")
        keep(run, key, *arguments)

    monkeypatch.setattr(execution, "save", fail_once)
    records = run_suite(saving_suite, tmp_path)
    assert [record.reason for record in records if record.status == "error"] == ["RuntimeError: not now"]
    assert {record.status for record in run_suite(saving_suite, tmp_path)} == {"ok"}


@pytest.mark.parametrize("first", ["keeps", "keeps not"])
def test_of_two_runners_on_one_trial_the_one_that_keeps_more_counts(
    small_suite, saving_suite, tmp_path, monkeypatch, first
):
    suites = [saving_suite, small_suite] if first == "keeps" else [small_suite, saving_suite]
    jobs = [plan(suite)[0] for suite in suites]
    runners = [run_job(tmp_path, job) for job in jobs]
    explain = execution.run_trial

    def while_another_is_first(*arguments):
        monkeypatch.setattr(execution, "run_trial", explain)
        next(runners[0])
        return explain(*arguments)

    monkeypatch.setattr(execution, "run_trial", while_another_is_first)
    next(runners[1])
    record = store.read_trial(tmp_path, jobs[0].trials[0][0])
    assert record.artifacts == ["attributions", "rows"]


def test_a_failure_does_not_take_the_place_of_what_another_runner_finished(
    small_suite, tmp_path, monkeypatch
):
    job = plan(small_suite)[0]
    another = run_job(tmp_path, job)
    explain = execution.run_trial

    def fail_while_another_is_first(*_):
        monkeypatch.setattr(execution, "run_trial", explain)
        next(another)
        raise RuntimeError

    monkeypatch.setattr(execution, "run_trial", fail_while_another_is_first)
    assert next(run_job(tmp_path, job)).status == "ok"
    assert store.read_trial(tmp_path, job.trials[0][0]).status == "ok"


def test_a_record_names_what_is_kept_and_holds_no_rows(tmp_path, put_run):
    record, *_ = put_run(tmp_path, "rows", "attributions")
    assert record.artifacts == ["attributions", "rows"]
    assert "explained" not in record.as_json()
    assert store.load(tmp_path)["key"].nunique() == 12


def test_drafts_of_killed_processes_are_swept(saving_suite, tmp_path, monkeypatch, put_run):
    put_run(tmp_path, "rows", "attributions")
    draft = tmp_path / "attributions" / f".{'0' * 64}.parquet-abcdefgh"
    draft.touch()
    monkeypatch.setattr(store, "DRAFT_SECONDS", -1)
    run_suite(saving_suite, tmp_path)
    assert not draft.exists()


def test_the_command_keeps_what_it_is_told_and_says_what_is_lacking(tmp_path, monkeypatch, capsys):
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        "{name: s, tables: [{recipe: table2-d10-5, rows: 200}], "
        "detectors: [distance], explainers: [z_score]}",
        encoding="utf-8",
    )

    def run(*more):
        monkeypatch.setattr(
            "sys.argv", ["xadbench", "run", str(suite), "--out", str(tmp_path / "run"), *more]
        )
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code or 0

    assert run("--save", "rows") == 0
    assert len(load_rows(tmp_path / "run"))
    assert run("--save", "rows,attributions") == 0
    assert "6 of 6 trials with scores have no attributions kept" in capsys.readouterr().err
    assert run("--save", "everything") == 2
    assert "save.0" in capsys.readouterr().err


def test_a_summary_holds_margins_graph_and_examples(small_suite, tmp_path, put_run):
    (record, *_) = put_run(tmp_path)
    source = load_source(small_suite.tables[0], 0)
    table, kept = source.table, read_summary(tmp_path, record.table.content_hash)
    assert {tuple(edge) for edge in kept.graph.edges} == set(source.network.edges)
    for margin in kept.margins:
        assert len(margin.normal) == N_BINS
        assert (sum(margin.normal), sum(margin.anomalous)) == ((~table.y).sum(), table.y.sum())
    assert len(kept.examples) == N_EXAMPLES
    for example in kept.examples:
        row = example.row
        assert example.values == table.X[row].tolist()  # noqa: PD011  # no DataFrame
        assert example.clean == table.clean[row].tolist()
        assert example.ground_truth == table.mask[row].tolist()
    n_kinds = len(set(table.kind[table.y & ~table.mask.all(axis=1)]))
    assert len({example.kind for example in kept.examples}) == min(N_EXAMPLES, n_kinds)


def test_a_table_of_unknown_origin_and_ground_truth_has_margins_alone(tmp_path):
    suite = Suite(
        name="plain",
        tables=[TableSpec(dataset="bundled:wine")],
        detectors=["distance"],
        explainers=["z_score"],
    )
    (record, *_) = run_suite(suite, tmp_path)
    kept = read_summary(tmp_path, record.table.content_hash)
    assert kept.graph is None
    assert kept.examples == []
    assert len(kept.margins) == 13


def test_what_is_not_kept_of_a_table_is_named_with_its_file_and_key(tmp_path):
    kept = {"version": 1, "features": ["a"], "graph": None, "margins": [], "examples": []}
    for changed, key in ({"margins": [{}]}, r"margins\.0\.feature"), ({"version": 9}, "version"):
        store.write_json(tmp_path / "tables" / "h.json", kept | changed)
        with pytest.raises(InputError, match=rf"h\.json: {key}: "):
            read_summary(tmp_path, "h")
