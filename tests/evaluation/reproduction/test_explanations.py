"""`xadbench reproduce table3|table4|table5|figure2` on small tables, with a detector that takes no time."""

import csv
import re
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets.sources.adbench import AdbenchFile
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.metrics import METRICS, SET_SIZES
from xadbench.evaluation.reproduction.experiments import EXPERIMENTS
from xadbench.evaluation.reproduction.explanation_cells import ground_truth_cells, score_change_cells
from xadbench.evaluation.reproduction.explanation_comparison import explanation_board, summarise_explanations
from xadbench.evaluation.reproduction.explanation_experiments import chosen_suite
from xadbench.evaluation.reproduction.explanation_tables import faithfulness_points
from xadbench.evaluation.reproduction.published_figures import published_explanations
from xadbench.evaluation.results import store
from xadbench.evaluation.results.record import RECORD_VERSION, as_trial
from xadbench.evaluation.suite.spec import Suite, load_suite

CONTROLS = {"oracle", "oracle_network", "truth", "inverted_truth"}
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
        own = load_suite(f"paper-{name}")
        none = ["none"] if "none" in own.labels("explainers") else []
        small = {"tables": tables, "detectors": ["distance"], "explainers": ["z_score", "random", *none]}
        suite = Suite.model_validate(dict(own) | small)
        chosen = partial(chosen_suite, lambda suite=suite: suite)
        monkeypatch.setitem(EXPERIMENTS, name, replace(EXPERIMENTS[name], suite=chosen))


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
    assert (code, stand_ins.Distance.n_fits) == (0, 4)
    assert "xadbench: " not in err
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


def test_flagged_rows_are_scored_and_false_positives_count_zero(reproduce, tmp_path):
    reproduce("table3", "--datasets", "TABLE2-D10-5", "--seeds", "0")
    rows = {row["method"]: row for row in rows_of(tmp_path, "table3")}
    n, detected = (float(rows["truth"][name]) for name in ("n_explained", "n_detected"))
    assert 0 < detected < n == 10
    assert float(rows["truth"]["ndcg_m"]) == pytest.approx(detected / n)


def test_it_goes_on_where_it_was_stopped_and_explainers_share_a_fit(reproduce, stand_ins):
    choice = ["--datasets", "table2-d4-5", "--seeds", "0"]
    reproduce("table3", *choice)
    _, out, err = reproduce("table3", *choice, "--methods", "z_score,saliency,faulty")
    assert err.count("from an earlier run") == 6  # |z|, random and four controls come with any choice
    assert "saliency on table2-d4-5: the explainer needs a gradient" in out
    n_fits = stand_ins.Distance.n_fits
    reproduce("table3", *choice, "--methods", "z_score")
    assert stand_ins.Distance.n_fits == n_fits


def test_a_failed_explainer_is_a_record_and_shows_in_the_exit_code(reproduce, tmp_path):
    code, out, _ = reproduce("table3", "--datasets", "table2-d4-5", "--seeds", "0", "--methods", "faulty")
    assert code == 3
    assert "faulty on table2-d4-5: RuntimeError: out of cheese" in out
    reasons = {record.reason for record in store.read_records(tmp_path / "o" / "table3")}
    assert reasons == {None, "RuntimeError: out of cheese"}


def test_table4_names_what_is_absent_and_shows_the_published_beside_both_bases(reproduce, tmp_path):
    code, out, err = reproduce("table4", "--seeds", "0")
    assert code == 0
    assert "Absent, left out: campaign (" in err
    assert "oracle on vertebral, vertebral-rows: the network that made the table is not known" in out
    rows = {(row["dataset"], row["method"]): row for row in rows_of(tmp_path, "table4")}
    for name in ("vertebral", "vertebral-rows"):
        assert rows[name, "diffusion_mean"]["acc_m_published"] == "0.79"


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
    err = reproduce("figure2", "--datasets", "WBC", "--seeds", "0")[2]
    assert err.count("from an earlier run") == 2
    assert stand_ins.Distance.n_fits == 1


def test_table5_and_figure2_compute_the_same_metrics():
    table5, figure2 = load_suite("paper-table5"), load_suite("paper-figure2")
    assert table5.metrics == figure2.metrics
    assert {f"faithfulness_at_{k}" for k in SET_SIZES} < set(table5.metrics) <= set(METRICS)


def record(explainer, status="ok", **scores):
    values = {"n_rows": 4, "chance": 0.2, **scores}
    parts = {
        "version": RECORD_VERSION,
        "key": "k",
        "table": {"label": "a", "n_features": 6, "content_hash": None},
        "detector": {"name": "d", "label": "d", "quality": {"auc_roc": 0.9}, "fit_seconds": 2.0},
        "explainer": {"name": explainer, "label": explainer},
        "seed": 0,
        "status": status,
        "reason": None if status == "ok" else "no",
        "scores": {"flagged": values, "detected": {**values, "chance": 0.3, "n_rows": 3}},
        "cost": {"fit": {"seconds": 9.0}, "explain": {"seconds": 0.5}},
    }
    return as_trial(parts, "a record")


def test_a_cell_has_false_positives_in_ndcg_alone_and_the_seconds_of_explaining():
    same = dict.fromkeys(("ndcg_m", "acc_m", "adjusted_ndcg_m", "adjusted_acc_m", "n_informative"), 0.5)
    done, failed = ground_truth_cells([record("m", **same), record("n", "error")])
    assert (done["ndcg_m_chance"], done["acc_m_chance"]) == (0.2, 0.3)
    assert (done["n_explained"], done["n_detected"], done["seconds"]) == (4, 3, 0.5)
    assert (failed["status"], failed["reason"], failed["auc_roc"]) == ("error", "no", 0.9)
    assert "ndcg_m" not in failed


def test_a_cell_has_the_infidelity_of_the_control_and_a_point_for_each_k_below_the_width():
    of_sets = {f"{part}faithfulness_at_{k}": k for k in SET_SIZES for part in ("", "n_undefined_")}
    scores = {"infidelity": 2.0, "infidelity_normalised": 0.5} | of_sets
    (cell,) = score_change_cells([record("m", **scores), record("none", infidelity=1.0)])
    assert (cell["infidelity"], cell["infidelity_rescaled"], cell["infidelity_of_nothing"]) == (2.0, 0.5, 1.0)
    assert cell["faithfulness"] == [{"k": k, "mean": k, "undefined": k} for k in (3, 5)]


def test_figure2_draws_a_line_for_each_explainer(reproduce, tmp_path):
    code, out, _ = reproduce("figure2", "--seeds", "0,1", "--methods", "z_score,truth")
    assert code == 0
    assert "truth on WBC: the table has no ground truth" in out
    image = (tmp_path / "o" / "figure2.png").read_bytes()
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(image) > 5_000
    rows = rows_of(tmp_path, "figure2")
    assert {(row["dataset"], row["method"], row["k"]) for row in rows} == {
        *(("WBC", method, k) for method in ("z_score", "random") for k in "35"),
        *(("table2-d4-5", method, "3") for method in ("z_score", "random", "truth")),
    }
    assert [float(row["mean"]) > 0.5 for row in rows if row["method"] == "z_score"] == [True, True, True]
    truth = next(row for row in rows if row["method"] == "truth")
    assert (
        0 < int(truth["undefined"]) <= int(truth["rows"]) == 20
    )  # false positives have no ground-truth feature to vary


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


NAN = float("nan")


def top(method, seed, adjusted, dataset="a"):
    same = dict.fromkeys(("ndcg_m", "acc_m", "seconds", "ndcg_m_chance", "acc_m_chance"), 0.5)
    status = {"status": "ok", "reason": None} if adjusted is not None else {"status": "error", "reason": "no"}
    return {"dataset": dataset, "method": method, "seed": seed, "adjusted_ndcg_m": adjusted, **same, **status}


def test_above_z_compares_seed_by_seed():
    values = {"z_score": (0.1, 0.9, 0.5), "m": (0.2, 0.8, 0.5), "n": (0.0, 0.95, None)}
    records = [
        top(method, seed, value) for method, reported in values.items() for seed, value in enumerate(reported)
    ]
    none = pd.DataFrame(columns=["dataset", "method", "metric", "mean", "std"])
    board = explanation_board(records, none).set_index("method")
    assert list(board["above_chance"]) == ["3/3", "3/3", "1/2"]
    assert list(board["above_z"]) == ["", "1/3", "1/2"]  # a tie is not above
    assert np.isnan(board.loc["n", "adjusted_ndcg_m"])  # no mean hides a failed seed
    summary = summarise_explanations(board.reset_index()).set_index("method")
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
        (["table3", "--methods", "shap"], "unknown explainer 'shap'.*; known: .*kernel_shap"),
        (["table4", "--datasets", "campaign"], "no data set of the experiment is there: .*5_campaign.npz"),
        (["table4", "--smallest", "2"], "table4 does not choose by size"),
    ],
)
def test_wrong_input_gives_one_line_and_leaves_nothing(reproduce, tmp_path, arguments, message):
    code, out, err = reproduce(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert re.search(message, err)
    assert [path.name for path in tmp_path.iterdir()] == ["adbench"]
