"""Where an entry stands: by the statistics of the report, over records whose scores are known."""

import json
from itertools import product

import pytest

from xadbench.evaluation.results import statistics as stats
from xadbench.evaluation.results.provenance import RunDescription
from xadbench.evaluation.results.ranking import board, cells_of
from xadbench.evaluation.results.record import as_trial
from xadbench.evaluation.results.run_results import as_results
from xadbench.evaluation.submission.placement import place_of
from xadbench.evaluation.submission.placement_rendering import as_form
from xadbench.evaluation.suite.spec import Suite

LEVELS = {"best": 0.9, "mine": 0.5, "twin": 0.5, "poor": 0.1, "random": 0.0}
THEIRS = {"cpu": "a processor", "started": "then", "commit": "c0ffee"}


def suite_of(tables, explainers=tuple(LEVELS)):
    return Suite.model_validate(
        {
            "name": "s",
            "tables": [{"name": name, "dataset": "bundled:wine"} for name in tables],
            "detectors": ["gaussian"],
            "explainers": [name for name in explainers if name != "twin"]
            + [{"name": "ecod", "label": "twin"}],
        }
    )


@pytest.fixture
def records_of(trial_record):
    """A function that makes the records of a suite: scores differ by table, by so much for every entry."""

    def make(tables, *, shipped=("best", "poor"), wobble=0.0):
        records = []
        for i, (name, level) in product(range(len(tables)), LEVELS.items()):
            # Leads differ from table to table by a little, of mean 0: equal ones call for a permutation test,
            # which takes a second a pair.
            own = 1e-4 * level * (i - (len(tables) - 1) / 2)
            score = level + 0.001 * i + own + wobble * (-1) ** i * (1 + i / 100) * (name == "mine")
            scores = {"adjusted_ndcg_m": score, "ndcg_m": score, "acc_m": score, "chance": 0.3, "n_rows": 9}
            origin = {"origin": THEIRS} if name in shipped else {}
            values = {"detected": scores, "anomalies": dict.fromkeys(scores, 0.5), "flagged": {}}
            like = {"random": "random"}.get(name, "good")
            record = trial_record(tables[i], 0, "gaussian", like, scores=values, **origin)
            records.append(record | {"explainer": {"name": name, "label": name}})
        return records

    return make


def placed(label, suite, records, **more):
    return place_of(label, suite, [as_trial(record, "a record") for record in records], **more)


TABLES = [f"t{i:02}" for i in range(12)]


def test_twelve_tables_tell_apart_what_differs_and_not_what_ties(records_of):
    (place,) = placed("mine", suite_of(TABLES), records_of(TABLES)).places
    assert place.alike == ["twin"]
    assert (place.own["place"], place.standing.loc["twin", "place"]) == (2, 2)
    assert place.standing["place"].to_dict() == {"best": 1, "mine": 2, "twin": 2, "poor": 4}
    assert place.standing.loc["twin", ["lead", "lead_low", "lead_high"]].tolist() == [0, 0, 0]
    assert place.standing.loc["poor", "lead"] == pytest.approx(0.4)


def test_three_tables_tell_nothing_apart(records_of):
    placement = placed("mine", suite_of(TABLES[:3]), records_of(TABLES[:3]))
    (place,) = placement.places
    assert place.alike == ["best", "twin", "poor"]
    assert "3 source(s) of tables are too few to distinguish any two of 4 entries." in " ".join(
        as_form(placement, "text").split()
    )


def test_tables_of_few_sources_tell_nothing_apart(records_of):
    overlapping = [f"MNIST-C_{i}" for i in range(6)] + [f"SVHN_{i}" for i in range(6)]
    (place,) = placed("mine", suite_of(overlapping), records_of(overlapping)).places
    assert place.alike == ["best", "twin", "poor"]
    assert not place.board.can_differ


def test_the_figures_are_the_reports(records_of):
    suite, records = suite_of(TABLES), records_of(TABLES, wobble=0.1)
    (place,) = placed("mine", suite, records).places
    cells = cells_of(
        as_results(
            RunDescription(suite=suite.model_dump(mode="json")),
            [as_trial(record, "a record") for record in records],
        )
    )
    reported = board(cells[cells["scope"] == "detected"], "detected", "gaussian").ranked
    columns = ["mean", "low", "high", "rank", "normalised_time"]
    assert place.standing[columns].equals(reported[columns])
    figures = stats.common_grid(cells[cells["scope"] == "detected"], "explainer", "adjusted_ndcg_m").figures
    p = stats.pairwise(figures[list(place.standing.index)])["mine"].drop("mine")
    assert set(place.alike) == set(p.index[p >= 0.05])


def test_the_oracle_stands_beside_the_detector_on_the_same_tables(records_of):
    tables = [*TABLES[:3], "undetected"]
    records = records_of(tables)
    for record in records:
        is_left_out = record["table"]["label"] == "undetected"
        quality = (
            {"auc_roc": 0.2, "oracle_auc_roc": 0.4}
            if is_left_out
            else {"auc_roc": 0.8, "oracle_auc_roc": 0.9}
        )
        record["detector"]["quality"] = quality
        if is_left_out:
            record["scores"]["detected"] = record["scores"]["detected"] | {"adjusted_ndcg_m": None}
    (place,) = placed("mine", suite_of(tables), records).places
    assert (place.board.auc_roc, place.oracle_auc_roc) == pytest.approx((0.8, 0.9))


def test_an_entry_without_a_score_is_not_ranked_and_says_why(records_of):
    records = records_of(TABLES)
    failed = next(record for record in records if record["explainer"]["label"] == "mine")
    failed |= {"status": "error", "reason": "RuntimeError: out of cheese", "scores": {}}
    placement = placed("mine", suite_of(TABLES), records)
    assert "mine on gaussian is not ranked: error: RuntimeError: out of cheese" in as_form(placement, "text")
    values = json.loads(as_form(placement, "json"))
    assert (values["places"][0]["is_ranked"], values["places"][0]["entries"]) == (False, [])


def test_another_fit_than_the_shipped_one_is_told(records_of):
    records = records_of(TABLES[:3])
    assert placed("mine", suite_of(TABLES[:3]), records).notes == []
    for record in records:
        if "origin" not in record and record["table"]["label"] == "t01":
            record["detector"]["quality"] = {"auc_roc": 0.85}
    (note,) = placed("mine", suite_of(TABLES[:3]), records).notes
    assert (
        "gaussian on t01 (seed 0), fitted here, is not quite that of the shipped results (AUC-ROC 0.85"
        in note
    )


def test_the_text_fits_a_terminal_and_marks_ties_and_what_was_computed_elsewhere(records_of):
    text = as_form(placed("mine", suite_of(TABLES), records_of(TABLES)), "text")
    assert max(map(len, text.splitlines())) <= 80
    rows = {line.split()[1]: line for line in text.splitlines() if line[:5].strip(" =").isdigit()}
    assert list(rows) == ["best", "mine", "twin", "poor"]
    assert rows["twin"].split()[0] == "2="
    assert rows["mine"].split()[0] == "2"
    assert [name for name, line in rows.items() if line.split()[-1] == "*"] == ["best", "poor"]
    assert "Does not differ significantly from: twin." in text
    assert "(random)" in text
    assert "*: shipped results, computed on a processor, then, c0ffee." in text


def test_only_neighbours_and_the_best_are_shown(records_of, monkeypatch):
    monkeypatch.setattr("xadbench.evaluation.submission.placement_rendering.NEAR", 0)
    text = as_form(placed("poor", suite_of(TABLES), records_of(TABLES)), "text")
    assert "best" in text
    assert "twin" not in text.partition("poor: place")[0]
    assert f"{len(LEVELS) - 3} entries further from its place are not shown; --format json lists all." in text


def test_markdown_escapes_names(records_of):
    records = records_of(TABLES)
    for record in records:
        if record["explainer"]["label"] == "mine":
            record["explainer"]["label"] = "<script>|"
    text = as_form(placed("<script>|", suite_of(TABLES), records), "markdown")
    assert "<script>" not in text
    assert "&lt;script&gt;\\|" in text


def test_json_has_no_nan_and_every_figure(records_of):
    values = json.loads(
        as_form(placed("mine", suite_of(TABLES), records_of(TABLES)), "json"),
        parse_constant=pytest.fail,
    )
    (place,) = values["places"]
    own = next(entry for entry in place["entries"] if entry["explainer"] == "mine")
    assert own["mean"] == pytest.approx(0.5055)
    assert own["low"] < own["mean"] < own["high"]
    assert own["lead"] is None
    assert place["controls"] == [{"explainer": "random", "mean": pytest.approx(0.0055), "n": 12}]
    assert len(values["trials"]) == 12
    assert values["shipped"] == THEIRS
