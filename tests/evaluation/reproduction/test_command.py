"""`xadbench reproduce` on small stand-ins for ADBench's files."""

import csv
import re
import sys

import numpy as np
import pytest
from rich.console import Console

from xadbench.datasets.sources.adbench import AdbenchFile
from xadbench.evaluation.cli import app as cli
from xadbench.evaluation.components.registry import Entry, Factory
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.reproduction import figures, plots
from xadbench.evaluation.reproduction.experiment import Choice
from xadbench.evaluation.reproduction.experiments import EXPERIMENTS

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def small_world(monkeypatch, tmp_path):
    """Two data sets whose hashes nobody checks, and methods that take no time."""
    folder = tmp_path / "adbench"
    folder.mkdir()
    for name, n in (("45_wine.npz", 1_000), ("14_glass.npz", 1_100)):
        X = np.random.default_rng(n).standard_normal((n, 3))
        y = np.arange(n) < n // 10
        X[y] += 2
        np.savez(folder / name, X=X, y=y.astype(int))
    monkeypatch.setenv("XADBENCH_ADBENCH_DIR", str(folder))
    monkeypatch.setattr(AdbenchFile, "check", lambda self, content, where: None)
    for name in DETECTORS.keys() - {"dsil_fixed"}:
        monkeypatch.setitem(DETECTORS, name, DETECTORS["distance"])
    monkeypatch.setitem(DETECTORS, "dsil_fixed", Entry("a short one", short_dsil))
    return folder


def short_dsil():
    """Return the factory of DSIL over what takes no time; with the parameter `r`."""
    from xadbench.dsil import DSIL, Gaussian  # noqa: PLC0415  # torch takes a second to import
    from xadbench.dsil.detectors.retention import Fixed  # noqa: PLC0415  # as above

    def build(random_state, r=0.5):
        return DSIL(Gaussian(), retention=Fixed(r), iterations=3, random_state=random_state)

    return Factory(build, frozenset({"r"}))


@pytest.fixture
def reproduce(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["xadbench", "reproduce", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        out, err = capsys.readouterr()
        return exit_.value.code or 0, out, err

    return call


def test_table1_shows_ours_beside_the_published(reproduce, tmp_path):
    code, out, err = reproduce("table1", "--seeds", "0,1", "--out", "o")
    assert code == 0
    assert "Absent, left out: http, skin, " in err
    assert "wine, semi-supervised / dte / none, seed 1: ok" in err
    assert "Over 2 data set(s)" in out
    with (tmp_path / "o" / "table1.csv").open() as file:
        rows = {(row["dataset"], row["method"]): row for row in csv.DictReader(file)}
    assert len(rows) == 14
    assert rows["glass", "dsil_fixed"]["seeds"] == "2/2"
    assert rows["wine", "best_of_23"]["ours"] == ""
    assert "| wine       | dte_unsupervised " in (tmp_path / "o" / "table1.md").read_text()


def test_it_goes_on_where_it_was_stopped(reproduce, stand_ins):
    choice = ["table1", "--datasets", "wine", "--methods", "dte_unsupervised"]
    reproduce(*choice, "--seeds", "0")
    err = reproduce(*choice, "--seeds", "0", "--seeds", "1")[2]
    assert stand_ins.Distance.n_fits == 2
    assert err.count("from an earlier run") == 1
    out = reproduce("supplement-f1", *choice[1:], "--seeds", "1")[1]
    assert stand_ins.Distance.n_fits == 2
    assert "Supplement: F1" in out


def test_the_smallest_files_can_be_chosen(reproduce):
    err = reproduce("table1", "--smallest", "1", "--methods", "dte_unsupervised", "--seeds", "0")[2]
    assert "[1/1] wine / dte / none, seed 0: ok" in err


def test_a_failed_cell_shows_in_the_exit_code(reproduce, monkeypatch, stand_ins):
    monkeypatch.setattr(stand_ins.Distance, "decision_function", lambda self, X: X)
    choice = ["--methods", "dte_unsupervised,dsil_fixed", "--seeds", "0", "--datasets", "wine"]
    code, out, _ = reproduce("table1", *choice)
    assert code == 3
    assert "dte_unsupervised on wine: 0/1 seeds: InputError: the scores of Distance have shape" in out
    assert "Not in the means and ranks: wine" in out


@pytest.mark.parametrize(("name", "dataset"), [("table1", "wine"), ("table3", "table2-d4-5")])
def test_timeout_and_seeds_are_those_of_the_suite(name, dataset):
    choice = Choice(datasets=[dataset], seeds=(3, 4), timeout=60)
    suite = EXPERIMENTS[name].suite(choice, Console())
    assert (suite.timeout, suite.seeds, len(suite.tables) > 0) == (60, (3, 4), True)


def is_drawn(folder, name):
    image = (folder / f"{name}.png").read_bytes()
    return image.startswith(PNG) and len(image) > 5_000


def test_figure1_ranks_ours_among_the_published(reproduce, tmp_path):
    code, _, _ = reproduce("figure1", "--seeds", "0", "--out", "o")
    assert code == 0
    assert is_drawn(tmp_path / "o", "figure1")
    with (tmp_path / "o" / "figure1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["source"] for row in rows} == {"ours", "published"}
    assert "dte_semi_supervised" not in {row["method"] for row in rows}
    ranks = [float(row["mean rank"]) for row in rows]
    assert ranks == sorted(ranks)
    assert np.mean(ranks) == pytest.approx((len(rows) + 1) / 2)


def test_the_retention_study_draws_a_line_for_each_data_set(reproduce, tmp_path):
    chosen = ["--methods", "dsil_fixed_r0.3,dsil_fixed_r0.9", "--seeds", "0"]
    assert reproduce("retention-study", *chosen, "--out", "o")[0] == 0
    assert is_drawn(tmp_path / "o", "retention-study")
    with (tmp_path / "o" / "retention-study.csv").open() as file:
        points = {
            (row["series"], row["retention ratio"]): float(row["AUC-ROC"]) for row in csv.DictReader(file)
        }
    assert [series for series, _ in points][:2] == ["mean", "mean"]
    assert len(points) == 6
    assert points["mean", "0.9"] == pytest.approx((points["wine", "0.9"] + points["glass", "0.9"]) / 2)


def test_lines_of_twenty_data_sets_and_their_mean_all_look_different():
    looks = plots.looks_of(["mean", *map(str, range(20))])
    assert len(set(looks.values())) == 21
    assert looks["mean"][1] not in {look[1] for name, look in looks.items() if name != "mean"}


def test_the_iteration_curve_has_a_point_an_iteration(reproduce, tmp_path):
    code, _, _ = reproduce("iteration-curve", "--methods", "dsil_fixed", "--seeds", "0,1", "--out", "o")
    assert code == 0
    assert is_drawn(tmp_path / "o", "iteration-curve")
    assert (tmp_path / "o" / "iteration-curve.csv").read_text().count("dsil_fixed") == 3


def test_a_data_set_with_a_gap_is_left_out_and_named(reproduce):
    code, out, _ = reproduce("iteration-curve", "--methods", "dte_unsupervised", "--seeds", "0")
    assert code == 0
    assert "Left out: wine (dte_unsupervised, seed 0: no iteration_auc_roc)" in out
    assert "Nothing to show." in out


def test_ranks_among_ours_and_published_share_ties():
    records = [
        {"dataset": "wine", "method": name, "auc_roc": auc}
        for name, auc in (("m", 1.0), ("n", 1.0), ("o", 0.0))
    ]
    board = figures.ranking(records).set_index(["method", "source"])["mean rank"]
    assert (board["m", "ours"], board["n", "ours"], board["o", "ours"]) == (1.5, 1.5, 29)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table7"], "unknown experiment 'table7'.*; known: figure1, "),
        (["table1", "--datasets", "wine,whine"], "unknown data set of the paper 'whine'"),
        (["table1", "--methods", "dsil"], "unknown method 'dsil'"),
        (["table1", "--seeds", "0,one"], "seed is 'one', expected a whole number"),
        (["table1", "--seeds", "-1"], "seed is '-1', expected a whole number"),
        (["table1", "--datasets", "cover"], "no data set of the experiment is there: .*10_cover.npz"),
        (["table1", "--workers", "0"], "workers"),
        (["table1", "--smallest", "0"], "smallest"),
        (["retention-study", "--methods", "dte_unsupervised"], "unknown method of this experiment"),
    ],
)
def test_wrong_input_gives_one_line_and_leaves_nothing(reproduce, tmp_path, arguments, message):
    code, out, err = reproduce(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("xadbench: ")
    assert re.search(message, err)
    assert [path.name for path in tmp_path.iterdir()] == ["adbench"]
