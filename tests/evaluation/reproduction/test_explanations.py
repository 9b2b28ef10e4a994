"""`xadbench reproduce table3|table4|table5|figure2` on small tables, with a detector that takes no time."""

import csv
import json
import re
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets.sources.adbench import AdbenchFile
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.components.registry import Entry, factory_of
from xadbench.evaluation.explainers import EXPLAINERS
from xadbench.evaluation.metrics import METRICS
from xadbench.evaluation.reproduction import explanation_experiments as studies
from xadbench.evaluation.reproduction import explanation_grid as explained
from xadbench.evaluation.reproduction.experiments import EXPERIMENTS
from xadbench.evaluation.reproduction.explanation_comparison import blame_board, summarise_blame
from xadbench.evaluation.reproduction.explanation_scores import sizes
from xadbench.evaluation.reproduction.explanation_tables import faithfulness_points
from xadbench.evaluation.reproduction.published_figures import published_explanations
from xadbench.evaluation.suite.spec import Suite, load_suite

CONTROLS = {"oracle", "truth", "inverted_truth"}
TABLES = {
    "table3": [{"recipe": "table2-d10-5", "rows": 200}, {"recipe": "table2-d4-5", "rows": 200}],
    "table4": [
        {"name": "vertebral", "dataset": "adbench:vertebral", "inject": {"base": "gmm"}},
        {"name": "vertebral-rows", "dataset": "adbench:vertebral", "inject": {}},
        {"name": "campaign", "dataset": "adbench:campaign", "inject": {}},
    ],
    "table5": [{"name": "WBC", "dataset": "adbench:WBC"}],
    "figure2": [{"recipe": "table2-d4-5", "rows": 200}, {"name": "WBC", "dataset": "adbench:WBC"}],
}


@pytest.fixture(autouse=True)
def small_world(monkeypatch, tmp_path):
    """Small tables, two files whose hashes nobody checks, and one that is not there."""
    folder = tmp_path / "adbench"
    folder.mkdir()
    for name in ("39_vertebral.npz", "42_WBC.npz"):
        X = np.random.default_rng(0).standard_normal((200, 6))
        np.savez(folder / name, X=X, y=(np.arange(200) < 20).astype(int))
    monkeypatch.setenv("XADBENCH_ADBENCH_DIR", str(folder))
    monkeypatch.setattr(AdbenchFile, "check", lambda self, content, where: None)
    for name, tables in TABLES.items():
        small = {
            "name": name,
            "tables": tables,
            "detectors": ["distance"],
            "explainers": ["z_score", "random"],
        }
        suite = Suite.model_validate(small)
        monkeypatch.setitem(EXPERIMENTS, name, replace(EXPERIMENTS[name], suite=lambda suite=suite: suite))


@pytest.fixture
def reproduce(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["xadbench", "reproduce", *map(str, arguments), "--out", "o"])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        out, err = capsys.readouterr()
        return exit_.value.code or 0, out, err

    return call


def rows_of(folder, name):
    with (folder / "o" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_table3_shows_ours_beside_the_published_with_chance_and_oracle(reproduce, tmp_path, stand_ins):
    code, out, err = reproduce("table3", "--seeds", "0,1")
    assert (code, err, stand_ins.Distance.n_fits) == (0, "", 4)
    assert "table2-d10-5: AUC-ROC" in out
    assert max(map(len, out.split("Rows: ")[0].splitlines())) <= 80
    rows = {(row["dataset"], row["method"]): row for row in rows_of(tmp_path, "table3")}
    assert {"z_score", "random", "kernel_shap", *CONTROLS} <= {method for _, method in rows}
    z_score, shap = rows["table2-d10-5", "z_score"], rows["table2-d10-5", "kernel_shap"]
    assert (z_score["seeds"], z_score["ndcg_m_published"], z_score["above_z"]) == ("2/2", "", "")
    assert (shap["seeds"], shap["ndcg_m"], shap["ndcg_m_published"]) == ("", "", "0.84")
    truth = rows["table2-d10-5", "truth"]
    assert float(truth["acc_m"]) == float(truth["adjusted_ndcg_m"]) == 1
    assert 0 < float(z_score["ndcg_m_chance"]) < float(z_score["ndcg_m_oracle"]) <= float(truth["ndcg_m"])
    assert (truth["above_chance"], rows["table2-d10-5", "inverted_truth"]["above_chance"]) == ("2/2", "0/2")
    assert "| data set     | method" in (tmp_path / "o" / "table3.md").read_text()


def test_only_flagged_rows_are_explained_and_false_positives_count_zero(reproduce, tmp_path):
    reproduce("table3", "--datasets", "TABLE2-D10-5", "--seeds", "0")
    rows = {row["method"]: row for row in rows_of(tmp_path, "table3")}
    n, detected = (float(rows["truth"][name]) for name in ("n_explained", "n_detected"))
    assert 0 < detected < n == 10
    assert float(rows["truth"]["ndcg_m"]) == pytest.approx(detected / n)


def test_it_goes_on_where_it_was_stopped_and_explainers_share_a_fit(reproduce, stand_ins):
    choice = ["--datasets", "table2-d4-5", "--seeds", "0"]
    reproduce("table3", *choice)
    out = reproduce("table3", *choice, "--methods", "z_score,saliency,faulty")[1]
    assert stand_ins.Distance.n_fits == 2
    assert out.count("from an earlier run") == 5  # |z|, random and three controls come with any choice
    assert "saliency on table2-d4-5: the explainer needs a gradient" in out
    reproduce("table3", *choice, "--methods", "z_score")
    assert stand_ins.Distance.n_fits == 2


def test_seconds_are_those_of_explaining_alone_behind_a_warm_up(monkeypatch, tmp_path, stand_ins):
    class SlowAtFirst(stand_ins.Faulty):
        def fit(self, detector, background):
            time.sleep(0.3)
            return self

        def explain(self, X):
            time.sleep(0 if SlowAtFirst.n_calls else 0.3)
            SlowAtFirst.n_calls += 1
            return X

    monkeypatch.setitem(EXPLAINERS, "slow", Entry("a stand-in", lambda: factory_of(SlowAtFirst)))
    suite = Suite.model_validate(
        {"name": "s", "tables": TABLES["table3"][1:], "detectors": ["distance"], "explainers": ["slow"]}
    )
    cell = explained.ExplainedCell(suite.tables[0], suite.detectors[0], 0, suite.explainers, studies.BLAME)
    (record,) = explained.run_cells([cell], tmp_path)
    assert record["seconds"] < 0.2 < record["explainer_fit_seconds"]


def test_a_failed_explainer_is_a_record_and_shows_in_the_exit_code(reproduce, tmp_path):
    code, out, _ = reproduce("table3", "--datasets", "table2-d4-5", "--seeds", "0", "--methods", "faulty")
    assert code == 3
    assert "faulty on table2-d4-5: RuntimeError: out of cheese" in out
    records = [json.loads(path.read_text()) for path in (tmp_path / "o" / "trials").iterdir()]
    assert [record["reason"] for record in records if record["status"] == "error"] == [
        "RuntimeError: out of cheese"
    ]


def test_workers_change_nothing_but_the_seconds(tmp_path):
    def run(workers):
        suite = load_suite("paper-table3")
        tables = [table.model_copy(update={"rows": 200}) for table in suite.tables[:2]]
        detector = suite.detectors[0].model_copy(update={"name": "gaussian"})
        cells = [
            explained.ExplainedCell(table, detector, 0, suite.explainers[-2:], studies.BLAME)
            for table in tables
        ]
        records = explained.run_cells(cells, tmp_path / str(workers), workers=workers)
        return [
            {name: value for name, value in record.items() if "seconds" not in name} for record in records
        ]

    alone = run(1)
    assert alone == run(2)
    tables = ["table2-d4-5", "table2-d4-10"]
    assert [(record["dataset"], record["method"]) for record in alone] == [
        (table, method) for table in tables for method in ("z_score", "random")
    ]


def test_table4_names_what_is_absent_and_shows_the_published_beside_both_bases(reproduce, tmp_path):
    code, out, _ = reproduce("table4", "--seeds", "0")
    assert code == 0
    assert "Absent, left out: campaign (" in out
    assert "oracle on vertebral, vertebral-rows: the network that made the table is not known" in out
    rows = {(row["dataset"], row["method"]): row for row in rows_of(tmp_path, "table4")}
    for name in ("vertebral", "vertebral-rows"):
        assert rows[name, "diffusion_mean"]["acc_m_published"] == "0.79"


def test_a_table_that_cannot_be_made_does_not_end_the_run(reproduce, monkeypatch):
    monkeypatch.setattr(explained, "load_source", fail_on("vertebral", explained.load_source))
    code, out, _ = reproduce("table4", "--seeds", "0")
    assert code == 3
    assert "truth on vertebral: no such rows" in out
    assert "vertebral-rows / truth, seed 0: ok" in out


def fail_on(title, load):
    def loaded(spec, seed):
        if spec.title == title:
            raise explained.InputError("no such rows")
        return load(spec, seed)

    return loaded


def test_table5_compares_with_blaming_nothing_and_shares_its_records_with_figure2(
    reproduce, tmp_path, stand_ins
):
    code, out, _ = reproduce("table5", "--seeds", "0")
    assert code == 0
    assert "They cannot be matched" in out
    rows = {row["method"]: row for row in rows_of(tmp_path, "table5")}
    assert float(rows["kernel_shap"]["published"]) == 2e-6
    z_score = {
        name: float(rows["z_score"][name])
        for name in ("ours", *("infidelity_" + x for x in ("of_nothing", "rescaled")))
    }
    assert 0 < z_score["infidelity_rescaled"] < z_score["infidelity_of_nothing"]
    assert z_score["infidelity_of_nothing"] < z_score["ours"]
    out = reproduce("figure2", "--datasets", "WBC", "--seeds", "0")[1]
    assert out.count("from an earlier run") == 2
    assert stand_ins.Distance.n_fits == 1


@pytest.mark.parametrize("metric", ["infidelity", "faithfulness_at_3"])
def test_a_forecast_is_another_where_a_metric_has_another_version(monkeypatch, tmp_path, metric):
    suite = Suite.model_validate(
        {"name": "s", "tables": TABLES["table3"][1:], "detectors": ["distance"], "explainers": ["z_score"]}
    )

    def run():
        measure = replace(
            studies.FORECAST, metrics=replace(studies.FORECAST.metrics)
        )  # it keeps its versions
        cell = explained.ExplainedCell(suite.tables[0], suite.detectors[0], 0, suite.explainers, measure)
        is_new = []
        explained.run_cells([cell], tmp_path, on_record=lambda record, new: is_new.append(new))
        return is_new

    assert (run(), run()) == ([True], [False])
    changed = replace(METRICS[metric], version=METRICS[metric].version + 1)
    monkeypatch.setitem(METRICS, metric, changed)
    assert run() == [True]


def test_figure2_draws_a_line_for_each_explainer(reproduce, tmp_path):
    code, out, _ = reproduce("figure2", "--seeds", "0,1", "--methods", "z_score,truth")
    assert code == 0
    assert "truth on WBC: the table does not name its culprits" in out
    image, page = ((tmp_path / "o" / f"figure2.{ending}").read_bytes() for ending in ("png", "html"))
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(image) > 5_000
    assert b"Plotly.newPlot" in page
    assert b"<script src=" not in page
    rows = rows_of(tmp_path, "figure2")
    assert {(row["dataset"], row["method"], row["k"]) for row in rows} == {
        *(("WBC", method, k) for method in ("z_score", "random") for k in "35"),
        *(("table2-d4-5", method, "3") for method in ("z_score", "random", "truth")),
    }
    assert [float(row["mean"]) > 0.5 for row in rows if row["method"] == "z_score"] == [True, True, True]
    truth = next(row for row in rows if row["method"] == "truth")
    assert 0 < int(truth["undefined"]) <= int(truth["rows"]) == 20  # false positives have no culprit to vary


def test_a_curve_is_the_mean_of_what_is_defined():
    def record(seed, mean, undefined):
        point = {"k": 3, "mean": mean, "undefined": undefined}
        return {"dataset": "a", "method": "m", "seed": seed, "n_explained": 4, "faithfulness": [point]}

    failed = {"dataset": "a", "method": "m", "seed": 3, "status": "error"}
    (row,) = faithfulness_points([record(0, 0.2, 0), record(1, None, 4), record(2, 0.4, 1), failed]).to_dict(
        "records"
    )
    assert row == {
        "dataset": "a", "method": "m", "k": 3, "mean": pytest.approx(0.3), "std": pytest.approx(0.1),
        "undefined": 5, "rows": 12, "seeds": "2/4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("n_features", "expected"), [(4, [3]), (9, [3, 5, 7]), (3, []), (1000, [*range(3, 32, 2)])]
)
def test_sizes_are_odd_and_leave_more_than_one_subset(n_features, expected):
    assert sizes(n_features) == expected


NAN = float("nan")


def blamed(method, seed, adjusted, dataset="a"):
    same = dict.fromkeys(("ndcg_m", "acc_m", "seconds", "ndcg_m_chance", "acc_m_chance"), 0.5)
    status = {"status": "ok", "reason": None} if adjusted is not None else {"status": "error", "reason": "no"}
    return {"dataset": dataset, "method": method, "seed": seed, "adjusted_ndcg_m": adjusted, **same, **status}


def test_above_z_compares_seed_by_seed():
    values = {"z_score": (0.1, 0.9, 0.5), "m": (0.2, 0.8, 0.5), "n": (0.0, 0.95, None)}
    records = [
        blamed(method, seed, value) for method, told in values.items() for seed, value in enumerate(told)
    ]
    none = pd.DataFrame(columns=["dataset", "method", "metric", "mean", "std"])
    board = blame_board(records, none).set_index("method")
    assert list(board["above_chance"]) == ["3/3", "3/3", "1/2"]
    assert list(board["above_z"]) == ["", "1/3", "1/2"]  # a tie is not above
    assert np.isnan(board.loc["n", "adjusted_ndcg_m"])  # no mean hides a failed seed
    summary = summarise_blame(board.reset_index()).set_index("method")
    assert list(summary["above_z"]) == ["", "0/1", ""]


def test_the_published_explanations_carry_our_names():
    table3 = published_explanations("table3_synthetic_explanations")
    assert set(table3["dataset"]) == {table.title for table in load_suite("paper-table3").tables}
    assert set(table3["method"]) <= {part.name for part in load_suite("paper-table3").explainers}
    assert len(table3) == 10 * 4 * 3
    assert set(table3["metric"]) == {"ndcg_m", "acc_m", "seconds"}
    table4 = published_explanations("table4_injected_adbench_explanations")
    assert set(table4["dataset"]) <= {table.title for table in load_suite("paper-table4").tables}
    table5 = published_explanations("table5_infidelity")
    assert set(table5["dataset"]) == {table.title for table in load_suite("paper-table5").tables}
    assert table5["std"].isna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table3", "--datasets", "vertebral"], "unknown data set of this experiment 'vertebral'"),
        (["table3", "--methods", "shap"], "unknown explainer 'shap'; known: .*kernel_shap"),
        (["table4", "--datasets", "campaign"], "no data set of the experiment is there: .*5_campaign.npz"),
        (["table4", "--smallest", "2"], "table4 does not choose by size"),
    ],
)
def test_wrong_input_gives_one_line_and_leaves_nothing(reproduce, tmp_path, arguments, message):
    code, out, err = reproduce(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert re.search(message, err)
    assert [path.name for path in tmp_path.iterdir()] == ["adbench"]
