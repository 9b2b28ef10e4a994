import io
import json

import numpy as np
import pytest
from rich.console import Console

from xadbench.datasets.common.errors import InputError
from xadbench.evaluation.audit import recipes as module
from xadbench.evaluation.audit.recipes import as_json, as_text, audit, publish
from xadbench.evaluation.leaks.controls import leak_controls
from xadbench.evaluation.metrics import auc_roc
from xadbench.generator import generate
from xadbench.generator.oracle.network_density import NetworkDensity
from xadbench.generator.recipe import Recipe
from xadbench.generator.simulation import build_network


@pytest.fixture(scope="module")
def recipe():
    return Recipe.model_validate(
        {
            "name": "small",
            "rows": 800,
            "anomaly_ratio": 0.25,
            "graph": {"nodes": 8, "edges": 12},
            "anomalies": ("cluster", "local", "additive"),
        }
    )


@pytest.fixture(scope="module")
def board(recipe):
    return audit(recipe, seed=1).set_index("kind")


def test_every_kind_has_a_row_and_all_of_them_come_last(board):
    assert board.index.tolist() == ["cluster", "local", "additive", "all"]
    assert board["rows"].tolist() == [67, 67, 66, 200]


def test_chance_is_the_share_of_ground_truth(board, recipe):
    table = generate(recipe, seed=1)
    assert board.loc["cluster", "chance"] == 1
    assert board.loc["local", "chance"] == table.mask[table.kind == 2].mean()
    assert board.loc["all", "chance"] == pytest.approx(table.mask[table.y].mean())


def test_the_auc_of_a_kind_is_against_normal_rows(board, recipe):
    table = generate(recipe, seed=1)
    scores = NetworkDensity(build_network(recipe, 1)).decision_function(table.X)
    chosen = (table.kind == 2) | ~table.y
    assert board.loc["local", "density_auc"] == auc_roc(scores[chosen], table.y[chosen])
    assert board.loc["all", "density_auc"] == auc_roc(scores, table.y)


def test_rows_with_all_features_at_fault_tell_nothing(board):
    names = ["network_heuristic", "single_drop", "surprise", "z_score", "surprise_ridge", "random"]
    assert board.loc["cluster", names].isna().all()
    weighted = (67 * board.loc["local", names] + 66 * board.loc["additive", names]) / 133
    np.testing.assert_allclose(board.loc["all", names].astype(float), weighted.astype(float))


def test_who_knows_the_kinds_too_is_not_beaten(board):
    others = board.loc["all", ["oracle_network", "network_heuristic", "single_drop", "surprise", "z_score"]]
    assert (board.loc["all", "oracle"] > others + 0.02).all()
    assert board.loc["all", "oracle_auc"] > 0.95


def test_who_knows_the_network_beats_chance(board):
    assert board.loc["additive", "network_heuristic"] > board.loc["additive", "z_score"] + 0.1
    assert board.loc["additive", "network_heuristic"] > 0.7
    assert abs(board.loc["all", "random"]) < 0.15


def test_trained_detectors_are_asked_for(recipe, monkeypatch):
    made = []

    class Distance:
        def fit(self, X):
            np.testing.assert_allclose(X.std(axis=0), 1)
            return self

        def decision_function(self, X):
            return (X**2).sum(axis=1)

    monkeypatch.setattr(module, "make_detector", lambda name, random_state: made.append(name) or Distance())
    board = audit(recipe, seed=1, train=True)
    assert made == ["dte", "iforest"]
    assert board["dte_auc"][0] > 0.95  # cluster
    assert board["iforest_auc"].equals(board["dte_auc"])


def test_the_same_figures_are_printed_and_written(recipe, board, tmp_path):
    console = Console(width=140, record=True, file=io.StringIO())
    publish(recipe, 1, console, tmp_path / "audit.json")
    written = json.loads((tmp_path / "audit.json").read_text())
    assert written == as_json(board.reset_index(), leak_controls(generate(recipe, 1), 1), recipe, 1)
    assert written["recipe"] == "small"
    assert written["seed"] == 1
    local, cluster = written["kinds"][1], written["kinds"][0]
    assert cluster["network_heuristic"] is None
    assert local["kind"] == "local"
    text = console.export_text()
    assert "Audit of small, seed 1" in text
    assert f"{local['network_heuristic']:.3f}" in text
    assert "chance: what a blind guess gets" in text


def test_every_row_of_the_markdown_has_a_cell_for_each_heading(recipe):
    rows = [line for line in as_text(recipe, 1).splitlines() if line.startswith("|")]
    assert len({row.replace(r"\|", "").count("|") for row in rows}) == 1


def test_no_figure_is_cut_where_the_terminal_is_narrow(recipe):
    console = Console(width=40, record=True, file=io.StringIO())
    publish(recipe, 1, console)
    assert "…" not in console.export_text()


def test_a_bad_seed_is_refused(recipe):
    with pytest.raises(InputError, match="seed is -1"):
        audit(recipe, seed=-1)
