import io

import pandas as pd
import pytest
from rich.console import Console

from xadbench.evaluation.results.leaderboard import NOTES, as_markdown, as_rich, leaderboard, missing_scores


def trial(explainer, value, *, table="t", detector="d", status="ok", oracle=0.95):
    """The rows of a tidy table on a trial."""
    about = {"table": table, "seed": 0, "detector": detector, "explainer": explainer, "status": status}
    about |= {"auc_roc": 0.9, "oracle_auc_roc": oracle, "scope": "detected"}
    if status != "ok":
        return [about | {"reason": "needs a gradient"}]
    scores = dict.fromkeys(("adjusted_ndcg_m", "adjusted_acc_m", "ndcg_m", "acc_m"), value)
    scores |= {"chance": 0.25, "n_informative": 10}
    return [about | {"metric": name, "value": of, "seconds": 1.0} for name, of in scores.items()]


def tidy(*trials):
    return pd.DataFrame([row for rows in trials for row in rows])


@pytest.fixture
def records():
    return tidy(
        trial("worse", 0.2, table="t1"),
        trial("better", 0.6, table="t1"),
        trial("lacking", None, table="t1", status="skipped"),
        trial("worse", 0.4, table="t2"),
        trial("better", 0.8, table="t2"),
        trial("lacking", 0.9, table="t2"),
        trial("better", None, table="t1", detector="a", status="skipped"),
    )


def test_the_best_explainer_of_each_detector_comes_first_and_the_incomplete_last(records):
    board = leaderboard(records, "detected")
    assert list(zip(board["detector"], board["explainer"], strict=True)) == [
        ("d", "better"),
        ("d", "worse"),
        ("d", "lacking"),
        ("a", "better"),
    ]
    assert board["adjusted_ndcg_m"].tolist()[:3] == pytest.approx([0.7, 0.3, 0.9])


def test_missing_trials_are_shown_and_explained(records):
    board = leaderboard(records, "detected")
    assert board["trials"].tolist() == ["2/2", "2/2", "1/2", "0/1"]
    assert missing_scores(board) == [
        "lacking on d: 1/2 trials: needs a gradient",
        "better on a: 0/1 trials: needs a gradient",
    ]


def test_a_board_per_table_splits_the_means(records):
    board = leaderboard(records, "detected", by=["table"])
    assert board.query("table == 't2'")["adjusted_ndcg_m"].tolist() == pytest.approx([0.9, 0.8, 0.4])


def test_quality_and_chance_stand_beside_every_score(records):
    heading, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in as_markdown(leaderboard(records, "detected")).splitlines()
    )
    assert heading[:5] == ["detector", "AUC-ROC", "oracle AUC-ROC", "explainer", "adj. nDCG_m"]
    assert rows[2] == ["d", "0.900", "0.950", "lacking", *["0.900"] * 4, "0.250", "10", "1.0", "1/2"]
    assert rows[3] == ["a", "0.900", "0.950", "better", *["-"] * 5, "0", "-", "0/1"]


def test_the_oracle_of_some_tables_is_no_ceiling_over_all():
    records = tidy(trial("any", 0.2, table="t1"), trial("any", 0.2, table="t2", oracle=None))
    assert leaderboard(records, "detected")["oracle_auc_roc"].isna().all()
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(*as_rich(leaderboard(records, "detected")))
    assert "(oracle" not in console.export_text()
    per_table = leaderboard(records, "detected", by=["table"])
    assert per_table["oracle_auc_roc"].tolist()[0] == pytest.approx(0.95)


def test_eighty_columns_show_every_number(records):
    console = Console(width=80, record=True, file=io.StringIO())
    everything = pd.concat([records, tidy(trial("inverted_truth", -1.0))])
    console.print(*as_rich(leaderboard(everything, "detected")), sep="\n")
    text = console.export_text()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert all(
        cell in text
        for cell in ("d: AUC-ROC 0.900 (oracle 0.950)", "inverted_truth", "0.700", "0.250", "0/1")
    )


def test_metrics_asked_for_stand_behind_with_their_undefined_rows(records):
    scores = {"faithfulness": 0.5, "n_undefined_faithfulness": 3, "infidelity": 4e-6}
    scores |= {"adjusted_cell_auc_roc": 0.25, "n_undefined_cell_auc_roc": 0}
    one_each = records[records["metric"] == "chance"]
    records = pd.concat([records, *(one_each.assign(metric=name, value=of) for name, of in scores.items())])
    board = leaderboard(
        records, "detected", requested=("faithfulness", "infidelity", "cell_auc_roc", "ndcg_m")
    )
    heading, _, first, *_ = as_markdown(board).splitlines()
    requested = [
        "faithfulness",
        "undefined faithfulness",
        "infidelity",
        "adj. cell auc roc",
    ]  # and nDCG_m is there anyway
    assert [cell.strip() for cell in heading.strip("|").split("|")][-4:] == requested
    assert [cell.strip() for cell in first.strip("|").split("|")][-4:] == ["0.500", "6", "4e-06", "0.250"]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(*as_rich(board), sep="\n")
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert all(cell in text for cell in ("undefined", "0.500", "0.250"))


def test_the_cost_in_normalised_time_stands_where_there_is_room(records):
    board = leaderboard(records.assign(normalised_time=12345.6), "detected")
    assert "24691" in as_markdown(board)
    assert "matmul-normalised time" in as_markdown(board)
    (first, *_) = as_rich(board)
    assert [str(column.header) for column in first.columns][-2:] == ["seconds", "trials"]


def test_the_note_says_that_seconds_are_a_sum(records):
    board = leaderboard(records, "detected").set_index(["detector", "explainer"])
    assert board.loc[("d", "better"), "seconds"] == 2.0
    assert "seconds: time to fit and explain, over all trials." in NOTES
