"""Leak controls: each finds the leak it is made for, and none cries wolf on tables without one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import LabelledTable, write_table
from xadbench.datasets.rng import stream
from xadbench.evaluation.leaks.controls import (
    LeakFound,
    check_leaks,
    leak_controls,
    leaks,
    summary,
    verdicts,
    worst,
)
from xadbench.generator import generate, inject, load_recipe

N, D, N_ANOMALIES = 1500, 8, 150


def full(shape, rng):
    return rng.standard_normal(shape)


def short(shape, rng):
    return np.round(rng.standard_normal(shape), 2)


def with_zeros(shape, rng):
    return np.where(rng.random(shape) < 0.3, 0.0, rng.standard_normal(shape))


# By control: how clean cells are made, and how the new values are, of fresh cells made likewise.
WRITTEN = {
    "rarity": (short, lambda fresh, clean, rng: fresh + 0.001),
    "inverse rarity": (short, lambda fresh, clean, rng: np.round(0.01 * fresh, 2)),
    "repetition": (full, lambda fresh, clean, rng: clean[rng.permutation(N)]),
    "digits": (short, lambda fresh, clean, rng: full(fresh.shape, rng)),
    "inverse digits": (full, lambda fresh, clean, rng: np.round(fresh, 3)),
    "single_precision": (full, lambda fresh, clean, rng: fresh.astype(np.float32).astype(float)),
    "minus_zero": (with_zeros, lambda fresh, clean, rng: np.where(clean == 0, 1 + fresh, -0.0)),
    "batch": (short, lambda fresh, clean, rng: 2 * fresh),
}
ALIKE = {"columns": [0, 1], "batch": [2, 5]}  # one affected set for all anomalies
LEAKS = [*WRITTEN, "row_order", "columns"]


def affected(name, y, rng):
    """Return the cells to change (N, D): two of each anomaly."""
    if name in ALIKE:
        return y[:, None] & np.isin(np.arange(D), ALIKE[name])
    mask = np.zeros((N, D), bool)
    for place, row in enumerate(np.flatnonzero(y)):
        pair = 2 * (place * 4 // N_ANOMALIES)
        mask[row, [pair, pair + 1] if name == "row_order" else rng.permutation(D)[:2]] = True
    return mask


def planted(name):
    """Return a table whose ground truth leaks in the way of that control; in none for "nothing"."""
    rng = stream(0, "planted", name)
    made, changed = WRITTEN.get(name, (short, lambda fresh, clean, rng: fresh))
    clean, fresh = made((N, D), rng), made((N, D), rng)
    new = changed(fresh, clean, rng)
    y = np.zeros(N, bool)
    y[rng.permutation(N)[:N_ANOMALIES]] = True
    mask = affected(name, y, rng) & (new != clean)
    y = mask.any(axis=1)
    return LabelledTable(
        X=np.where(mask, new, clean),
        y=y,
        kind=y.astype(np.int8),
        kinds=("normal", "planted"),
        mask=mask,
        clean=clean,
    )


@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_leak_is_found_by_its_control(name):
    found = leaks(leak_controls(planted(name)))
    assert name in set(found["control"])


@pytest.mark.parametrize("seed", range(3))
def test_tables_without_a_leak_pass(seed):
    source = LabelledTable(X=planted("nothing").clean, y=np.zeros(N, bool))
    kinds = ["global", "local", "additive", "multiplicative", "dependency", "swap"]
    assert len(leaks(leak_controls(inject(source, kinds, ratio=0.2, seed=seed)))) == 0


@pytest.fixture(scope="module")
def published():
    return leak_controls(generate(load_recipe("table2-d10-5"), seed=1))


def test_the_papers_protocol_shows_its_leaks_and_fails_by_none(published):
    of_all = published[published["kind"] == "all"].set_index("control")
    assert of_all.loc["columns", "score"] > 0.5
    assert published["exempt"].all()
    assert set(verdicts(published)["verdict"]) == {"shown"}
    assert len(leaks(published)) == 0
    assert "columns" in summary(published)
    assert "shown, not evaluated" in summary(published)


def test_rarity_of_kinds_that_move_the_margin_is_shown_without_being_evaluated():
    spec = {"name": "r", "rows": 400, "anomaly_ratio": 0.2, "graph": {"nodes": 6, "edges": 4}}
    recipe = load_recipe("table2-d4-5").model_validate(spec | {"anomalies": ["global", "dependency"]})
    controls = leak_controls(generate(recipe)).set_index(["kind", "control"])["exempt"]
    assert controls["global", "rarity"]
    assert controls["all", "rarity"]
    assert not controls["dependency", "rarity"]
    assert not controls["global", "digits"]


def test_a_level_that_is_rare_by_nature_is_in_the_null():
    rng = stream(1, "levels")
    X = np.column_stack([rng.random((600, 3)) < 0.1, rng.random((600, 3)) < 0.5]).astype(float)
    X = np.column_stack([X, np.round(rng.standard_normal((600, 2)), 1)])
    table = inject(LabelledTable(X=X, y=np.zeros(600, bool)), ["swap"], ratio=0.2)
    controls = leak_controls(table).set_index(["kind", "control"])
    assert controls.loc[("all", "rarity"), "score"] > 0.2
    assert controls.loc[("all", "rarity"), "null"] > 0.2
    assert len(leaks(controls.reset_index())) == 0


def test_the_same_table_has_the_same_controls(published):
    again = leak_controls(generate(load_recipe("table2-d10-5"), seed=1))
    pd.testing.assert_frame_equal(again, published)


def test_a_table_that_tells_nothing_has_no_controls():
    table = planted("nothing")
    no_truth = replace(table, mask=None, clean=None)
    assert leak_controls(no_truth).empty
    assert verdicts(leak_controls(no_truth)).empty
    assert summary(leak_controls(no_truth)) == "no row has both ground truth and other features"


def test_the_worst_kind_of_each_control_is_shown():
    board = worst(leak_controls(planted("digits")))
    assert board["control"].is_unique
    assert board["excess"].is_monotonic_decreasing
    assert board.loc[board["control"] == "digits", "verdict"].item() == "leak"


def test_a_leak_ends_a_check_and_names_table_kind_and_control(tmp_path):
    write_table(planted("digits"), tmp_path / "bad")
    with pytest.raises(
        LeakFound, match=r"bad: leak control 'digits' scores on '(planted|all)' anomalies 1.000"
    ):
        check_leaks({"good": planted("nothing"), "bad": tmp_path / "bad"})


def test_a_check_without_a_leak_says_so_table_by_table():
    text = check_leaks({"good": planted("nothing")})
    assert "| good    | none above its null |" in text
