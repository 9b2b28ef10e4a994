"""`xadbench score`: something of the user's own beside the baselines."""

import json
import re
from threading import Lock

import numpy as np
import pytest

from xadbench.datasets import InputError, LabelledTable, content_hash, write_table
from xadbench.evaluation.explainers import EXPLAINERS
from xadbench.evaluation.regression import Criteria, compare
from xadbench.evaluation.results.provenance import RunDescription
from xadbench.evaluation.results.store import without_nan
from xadbench.evaluation.results.stored_runs import of_records
from xadbench.evaluation.runs import reference as shipped
from xadbench.evaluation.submission.score import extended, score_on_suite
from xadbench.evaluation.suite.spec import Component, Suite, TableSpec
from xadbench.evaluation.suite.tables import load_source

TINY = """\
name: tiny
tables: [{recipe: table2-d4-5, rows: 200}, {recipe: table2-d10-5, rows: 200}]
detectors: [distance]
explainers: [z_score, robust_z, random]
"""
MINE = """\
import numpy as np

def absolute_z(detector, background, X, power=1.0):
    return np.abs((X - background.mean(axis=0)) / background.std(axis=0)) ** power

def z_score(detector, background, X):
    return X

def raising(detector, background, X):
    raise RuntimeError("out of cheese")

class Failing:
    def fit(self, X):
        if X.shape[1] == 10: raise RuntimeError("too wide")
        return self
    def decision_function(self, X): return X[:, 0]

class Centre:
    def __init__(self, random_state=0): self.random_state = random_state
    def fit(self, X):
        self.centre = np.median(X, axis=0)
        return self
    def decision_function(self, X): return np.abs(X - self.centre).sum(axis=1)

def data():
    from xadbench.datasets import load_bundled
    return load_bundled("wine")
"""


def absolute_z(detector, background, X):
    return np.abs((X - background.mean(axis=0)) / background.std(axis=0))


class Signed:
    """An explainer with a state, which each trial must have for itself."""

    def __init__(self, sign=1):
        self.sign = sign
        self.n_fits = 0

    def fit(self, detector, background):
        self.n_fits += 1
        assert self.n_fits == 1 or self.background.shape == background.shape
        self.background = background
        return self

    def explain(self, X):
        return self.sign * absolute_z(None, self.background, X)


@pytest.fixture
def tiny():
    tables = [{"recipe": "table2-d4-5", "rows": 200}, {"recipe": "table2-d10-5", "rows": 200}]
    return Suite.model_validate(
        {"name": "tiny", "tables": tables, "detectors": ["distance"], "explainers": ["z_score", "random"]}
    )


@pytest.fixture
def nothing_shipped(monkeypatch):
    monkeypatch.setattr(shipped, "all_shipped", lambda: iter(()))


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "mine.py").write_text(MINE)


def test_z_by_oneself_ties_with_z_score_exactly(tiny):
    (place,) = score_on_suite(absolute_z, tiny).places
    assert (place.label, place.own["mean"]) == ("absolute_z", place.standing.loc["z_score", "mean"])
    assert place.own["place"] == place.standing.loc["z_score", "place"] == 1
    assert "z_score" in place.alike
    assert place.board.references.index.tolist() == [
        "random",
        "oracle",
        "oracle_network",
        "truth",
        "inverted_truth",
    ]


def test_only_the_new_entry_is_computed(tiny, tmp_path, monkeypatch):
    first = score_on_suite("robust_z", tiny)
    theirs = [one.model_copy(update={"origin": {"suite": "tiny"}}) for one in first.records]
    monkeypatch.setattr(shipped, "all_shipped", lambda: theirs)
    new, out = [], tmp_path / "run"

    def tell(record, is_new):
        new.extend([record.explainer.label] if is_new else [])

    placement = score_on_suite(absolute_z, tiny, out=out, on_trial=tell)
    assert new == ["absolute_z", "absolute_z"]
    assert placement.places[0].standing["is_shipped"].to_dict() == {"absolute_z": False, "z_score": True}
    new.clear()
    score_on_suite("robust_z", tiny, out=out, recompute=True, on_trial=tell)
    assert len(new) == len(first.records)


def closure(sign):
    """Return a function that no name and no attribute tells from that of another sign."""
    return lambda detector, background, X: sign * absolute_z(detector, background, X)


@pytest.mark.usefixtures("nothing_shipped")
@pytest.mark.parametrize("make", [Signed, closure])
def test_an_object_is_never_taken_for_another(tiny, tmp_path, make):
    known, during = set(EXPLAINERS), []

    def note(record, is_new):
        during.append(set(EXPLAINERS))

    means = [
        score_on_suite(make(sign), tiny, out=tmp_path, on_trial=note).places[0].own["mean"]
        for sign in (1, -1)
    ]
    assert means[0] > 0.3 > means[1]
    assert during == [known] * len(during)


def test_an_object_that_has_the_name_of_a_control_is_itself(tiny):
    def truth(detector, background, X):
        return np.zeros_like(X)

    (place,) = score_on_suite(truth, tiny, label="mine").places
    assert place.own["mean"] == pytest.approx(0, abs=1e-12)
    assert place.board.references.loc["truth", "mean"] == 1
    with pytest.raises(InputError, match="label of a control, 'truth'"):
        score_on_suite(truth, tiny)


def test_records_of_an_object_have_a_plain_name_and_can_be_compared(tiny):
    def scored(explainer):
        placement = score_on_suite(explainer, tiny)
        own = [one for one in placement.records if one.explainer.label == "Signed"]
        records = [one.as_json() for one in placement.records]
        return own, of_records("a run", json.loads(json.dumps(without_nan(records))), RunDescription())

    own, base = scored(Signed())
    assert {one.explainer.name.rpartition(":")[2] for one in own} == {"Signed"}
    assert {name for one in own for name in one.components["explainer"]} == {"Signed"}
    assert compare(base, scored(Signed)[1], Criteria()).not_comparable == []
    changed = scored(type("Signed", (Signed,), {"version": 2}))[1]
    assert [one.text for one in compare(base, changed, Criteria()).not_comparable] == [
        "explainer Signed version: none, now 2"
    ]


def test_a_baseline_has_a_place_too(tiny):
    placement = score_on_suite("z_score", tiny)
    assert placement.places[0].own["place"] == 1
    assert len(placement.records) == 2 * 6


@pytest.mark.parametrize(
    ("theirs", "requested", "label"), [("", "mine", "mine"), ("Z", "", "Z"), ("Z", "mine", "mine")]
)
def test_a_baseline_that_is_scored_is_there_once(tiny, theirs, requested, label):
    own = Component(name="z_score", label=theirs)
    labelled = tiny.model_copy(update={"explainers": (own, Component(name="robust_z"))})
    (place,) = score_on_suite("z_score", labelled, label=requested).places
    assert place.label == label
    assert set(place.standing.index) == {label, "robust_z"}


def test_a_detector_of_the_suite_is_there_once(tiny):
    labelled = tiny.model_copy(update={"detectors": (Component(name="distance", label="D"),)})
    placement = score_on_suite("robust_z", labelled, detector="distance")
    assert placement.detector == "D"
    assert list(placement.detectors.index) == ["D"]


def test_a_class_takes_parameters(tiny):
    (place,) = score_on_suite(Signed, tiny, {"sign": -1}).places
    assert place.label == "Signed(sign=-1)"
    assert place.own["mean"] < place.standing.loc["z_score", "mean"]


@pytest.mark.usefixtures("files")
def test_a_detector_is_ranked_among_the_others(tiny):
    placement = score_on_suite("mine.py:absolute_z", tiny, detector="mine.py:Centre")
    assert [place.board.detector for place in placement.places] == ["distance", "Centre"]
    assert placement.detector == "Centre"
    assert set(placement.detectors.index) == {"distance", "Centre"}
    detectors = [record.detector for record in placement.records]
    aucs = {one.quality["auc_roc"] for one in detectors if one.label == "Centre"}
    assert placement.detectors.loc["Centre", "mean"] == pytest.approx(np.mean(list(aucs)))


def test_where_no_trial_has_a_score_nothing_is_ranked(tiny):
    bare = tiny.model_copy(update={"tables": (TableSpec(dataset="bundled:wine"),)})
    (place,) = score_on_suite(absolute_z, bare).places
    assert "has no ground truth" in place.reason


@pytest.mark.usefixtures("files")
def test_a_data_set_without_ground_truth_gets_anomalies(tiny):
    placement = score_on_suite(None, tiny, dataset="mine.py:data")
    (table,) = {one.table.label for one in placement.records} - {"table2-d4-5", "table2-d10-5"}
    assert table == placement.table == "mine.py:data + anomalies"
    assert placement.places == []


def test_a_data_set_with_ground_truth_is_taken_as_it_is(tiny, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    mask = np.zeros(X.shape, dtype=bool)
    mask[:5, 0] = True
    write_table(LabelledTable(X=X + 9 * mask, y=mask.any(axis=1), mask=mask), tmp_path / "t")
    every = tiny.model_copy(update={"scope": "anomalies"})
    placement = score_on_suite(absolute_z, every, dataset=str(tmp_path / "t"))
    assert placement.table == str(tmp_path / "t")
    assert placement.places[0].board.n_tables == 3


@pytest.fixture
def own_csv(files, tmp_path):
    """A file of the user's: 95 normal rows, and 5 anomalies of 50 and more that a column marks."""
    rows = np.random.default_rng(0).standard_normal((100, 3)) + 50 * (np.arange(100) < 5)[:, None]
    text = "".join(f"{a},{b},{c},{int(a > 25)}\n" for a, b, c in rows)
    (tmp_path / "own.csv").write_text(f"a,b,c,bad\n{text}")
    return "own.csv"


def test_of_a_file_the_rows_that_a_column_marks_are_left_out(own_csv, tiny):
    table = load_source(extended(tiny, None, None, own_csv, "bad").suite.tables[-1], 0).table
    assert table.feature_names == ("a", "b", "c")
    assert table.clean.max() < 25
    placement = score_on_suite(absolute_z, tiny, dataset=own_csv, labels="bad")
    assert placement.table == "own.csv + anomalies"
    assert {one.table.content_hash for one in placement.records if one.table.label == placement.table} == {
        content_hash(table)
    }


def test_a_file_that_is_too_short_for_anomalies_is_named(files, xadbench, tmp_path):
    (tmp_path / "short.csv").write_text("a,b,bad\n1,2,0\n3,4,1\n")
    code, out, err = xadbench("score", "z_score", "--dataset", "short.csv", "--label-column", "bad")
    assert (code, out) == (2, "")
    assert err == (
        "xadbench: short.csv + anomalies: the table has 1 distinct normal rows; expected at least 10\n"
    )


@pytest.mark.parametrize("command", [["score", "mine.py:absolute_z"], ["export"], ["import", "a"]])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--dataset", "own.csv", "--label-column", "good"],
            "no column 'good' for the labels; columns: a, b, c, bad",
        ),
        (["--dataset", "bundled:wine", "--label-column", "y"], "'bundled:wine' has labels of its own"),
        (["--label-column", "bad"], "column 'bad' is to mark the anomalies of a data set, but none is named"),
    ],
)
@pytest.mark.usefixtures("own_csv")
def test_a_label_goes_with_a_file_that_has_it(xadbench, command, arguments, message):
    code, out, err = xadbench(*command, *arguments, "--suite", "tiny.yaml")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize(
    ("explainer", "options", "message"),
    [
        (None, {}, "nothing to score"),
        (object(), {}, "not an object of object"),
        (int, {}, "int is not an explainer: it lacks fit, explain"),
        (
            Signed(Lock()),
            {},
            r"an object of Signed cannot be copied for each trial \(TypeError: .*give the class",
        ),
        (absolute_z, {"label": "z_score"}, "^suite tiny: explainers has 'z_score' twice; [^(]*$"),
        (absolute_z, {"label": "truth"}, "label of a control"),
        (absolute_z, {"params": {"depth": 1}}, "unknown parameter of explainer .*'depth'"),
        ("random", {}, "'random' is a control"),
        ("z_scor", {}, "unknown explainer 'z_scor'"),
        ("z_score", {"detector": "distanc"}, "unknown detector 'distanc'"),
        ("z_score", {"dataset": "wine"}, "unknown data set 'wine'"),
    ],
)
def test_what_cannot_be_scored_is_named(tiny, explainer, options, message):
    with pytest.raises(InputError, match=message):
        score_on_suite(explainer, tiny, **options, on_trial=pytest.fail)


@pytest.mark.usefixtures("files")
def test_a_suite_is_named_by_its_path_too(tmp_path):
    assert extended(tmp_path / "tiny.yaml", detector="gaussian").suite.labels("detectors") == [
        "distance",
        "gaussian",
    ]


def test_a_suite_that_leaves_no_trial_is_refused_before_any(tiny):
    only = Suite.model_validate(tiny.model_dump() | {"include": [{"explainer": "z_score"}]})
    with pytest.raises(InputError, match="leave no trial of 'absolute_z'"):
        score_on_suite(absolute_z, only, on_trial=pytest.fail)


@pytest.mark.usefixtures("files")
def test_the_command_prints_the_place(xadbench, tmp_path):
    code, out, err = xadbench("score", "mine.py:absolute_z", "--suite", "tiny.yaml", "--param", "power=2")
    assert code == 0
    assert "[16/16] table2-d10-5 / distance / inverted_truth, seed 0: ok" in err
    assert "absolute_z(power=2): place 1 of 3, adj. nDCG_m" in out
    assert "Does not differ significantly from: robust_z, z_score." in out
    code, _, again = xadbench("score", "mine.py:absolute_z", "--suite", "tiny.yaml", "--param", "power=2")
    assert "seed 0: ok" not in again
    (tmp_path / "mine.py").write_text(MINE.replace("** power", "** (power + 1)"))
    again = xadbench("score", "mine.py:absolute_z", "--suite", "tiny.yaml", "--param", "power=2")[2]
    assert again.count("seed 0: ok") == 2


@pytest.mark.usefixtures("files")
def test_json_is_all_of_the_output(xadbench):
    code, out, err = xadbench("score", "mine.py:z_score", "--suite", "tiny.yaml", "--format", "json")
    assert code == 0
    assert json.loads(out)["explainer"] == "mine.py:z_score"  # which tells it from the suite's
    assert "seed 0: ok" in err
    assert xadbench("score", "mine.py:z_score", "--suite", "tiny.yaml", "--format", "markdown")[1].startswith(
        "**On"
    )


@pytest.mark.usefixtures("files")
def test_a_detector_alone_shows_how_the_baselines_do_on_it(xadbench):
    code, out, _ = xadbench("score", "--detector", "mine.py:Centre", "--suite", "tiny.yaml")
    assert code == 0
    assert re.search(r"1.? +(Centre|distance) +0\.\d{3}", out)
    assert "Centre: AUC-ROC" in out
    assert "robust_z" in out


@pytest.mark.usefixtures("files")
def test_a_detector_that_fails_is_not_ranked_and_the_rest_is_shown(xadbench):
    code, out, _ = xadbench(
        "score", "mine.py:absolute_z", "--detector", "mine.py:Failing", "--suite", "tiny.yaml"
    )
    assert code == 3
    said = " ".join(out.split())
    assert "absolute_z: place 1 of 3" in said
    assert "Failing is not ranked: no AUC-ROC on every table and seed: RuntimeError: too wide" in said


@pytest.mark.usefixtures("files")
def test_an_explainer_that_raises_gives_the_reason_and_code_3(xadbench):
    code, out, _ = xadbench("score", "mine.py:raising", "--suite", "tiny.yaml")
    assert code == 3
    assert "raising on distance is not ranked: error: RuntimeError: out of cheese" in " ".join(out.split())


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to score; expected EXPLAINER, --detector or --dataset"),
        ([""], "unknown explainer ''"),
        (["", "--detector", "distance"], "unknown explainer ''"),
        (["mine.py:gone"], "no 'gone' in mine.py"),
        (["gone.py:f"], "no file gone.py"),
        (["mine.py:absolute_z", "--param", "power"], "--param 'power': expected name=value"),
        (["mine.py:absolute_z", "--param", "power=[1"], r"--param 'power=\[1': not valid YAML"),
        (["mine.py:absolute_z", "--param", "p=1", "--param", "p=2"], "p is given twice"),
        (["mine.py:absolute_z", "--param", "depth=3"], "unknown parameter .*'depth'.*; known: power"),
        (["mine.py:absolute_z", "--suite", "quik"], "unknown suite 'quik'"),
        (["mine.py:absolute_z", "--format", "csv"], "'csv' is not one of 'text', 'json', 'markdown'"),
        (["mine.py:absolute_z", "--format", "xml"], "'xml' is not one of"),
        (["--detector", "iforest", "--name", "x"], "--name does not go with a score without EXPLAINER"),
        (["--detector", "iforest", "--param", "x=1"], "--param does not go with a score without EXPLAINER"),
        (["mine.py:absolute_z", "--workers", "0"], "'--workers'"),
        (["mine.py:absolute_z", "--out", "mine.py"], "mine.py is a file"),
    ],
)
def test_wrong_use_gives_one_line(xadbench, arguments, message):
    suite = [] if "--suite" in arguments else ["--suite", "tiny.yaml"]
    code, out, err = xadbench("score", *arguments, *suite)
    assert (code, out) == (2, "")
    assert err.startswith("xadbench: ")
    assert err.count("\n") == 1
    assert re.search(message, err)
