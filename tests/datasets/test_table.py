import dataclasses

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import InputError, InvalidTable, LabelledTable, content_hash, standardise, write_table
from xadbench.datasets.table import as_table


def changed(values, cell, value):
    copy = values.copy()
    copy[cell] = value
    return copy


def test_labels_alone_are_enough():
    table = LabelledTable(X=np.eye(3), y=[0, 1, 0])
    assert table.kind.tolist() == [0, 1, 0]
    assert table.feature_names == ("x0", "x1", "x2")
    assert table.mask is table.clean is table.moved is None


def test_moved_is_what_differs_from_the_clean_twin(table):
    np.testing.assert_array_equal(table.moved, table.mask)


def test_arrays_cannot_be_changed_from_inside_or_outside():
    X = np.eye(3)
    table = LabelledTable(X=X, y=[0, 0, 0])
    X[0, 0] = 7
    assert table.X[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        table.X[0, 0] = 7


def test_rows_keeps_everything_about_the_chosen_rows(table):
    part = table.rows([5, 0])
    assert part.kind.tolist() == [2, 0]
    np.testing.assert_array_equal(part.mask, table.mask[[5, 0]])
    np.testing.assert_array_equal(part.clean, table.clean[[5, 0]])
    assert part.feature_names == table.feature_names


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: {"X": changed(t.X, (2, 1), np.nan)}, r"X has 1 value.* row 2, column 'b'"),
        (lambda t: {"X": t.X[0]}, r"X has shape \(3,\), expected \(n, d\)"),
        (lambda t: {"X": [["a", "b", "c"]] * 6}, "X is not an array of numbers"),
        (lambda t: {"clean": changed(t.clean, (4, 1), np.inf)}, "clean has 1 value"),
        (lambda t: {"y": t.y[:-1]}, r"y has shape \(5,\), expected \(6,\)"),
        (lambda t: {"y": [0, 0, 0, 0, 1, 2]}, "y has values that are not bool"),
        (lambda t: {"mask": t.mask[:, :2]}, r"mask has shape \(6, 2\), expected \(6, 3\)"),
        (lambda t: {"mask": changed(t.mask, (0, 0), True)}, "row.*at 0: normal, but its mask"),
        (lambda t: {"mask": changed(t.mask, 4, False)}, "row.*at 4: anomalous, but its mask"),
        (lambda t: {"mask": changed(t.mask, (4, 1), True)}, "row.*at 4: a ground-truth feature equals"),
        (lambda t: {"clean": changed(t.clean, (0, 0), 9.0)}, "row.*at 0: normal, but differs"),
        (lambda t: {"kind": [0, 0, 0, 1, 1, 2]}, "row.*at 3: y and kind disagree"),
        (lambda t: {"kind": [0, 0, 0, 0, 1, 3]}, "row.*at 5: kind is not one of 0..2"),
        (lambda t: {"kinds": ("additive", "global", "normal")}, "expected 'normal' first"),
        (lambda t: {"feature_names": ("a", "a", "b")}, "2 distinct names, expected 3"),
        (lambda t: {"feature_names": ("a", "b", "y")}, r"may not hold \['y'\]"),
        (lambda t: {"feature_names": ("a", "b", "\ud800")}, "expected Unicode text"),
        (lambda t: {"feature_names": ("a", "b", 3)}, "has 3; expected Unicode text"),
    ],
)
def test_a_table_that_contradicts_itself_is_not_born(table, change, message):
    with pytest.raises(InvalidTable, match=message) as error:
        dataclasses.replace(table, **change(table))
    assert "\n" not in str(error.value)
    assert isinstance(error.value, InputError)


def test_a_frame_of_the_rows_with_labels_by_name(table):
    frame = table.to_pandas()
    assert frame.columns.tolist() == ["a", "b", "c", "y", "kind"]
    np.testing.assert_array_equal(frame[["a", "b", "c"]], table.X)
    assert frame["y"].tolist() == table.y.tolist()
    assert frame["kind"].tolist() == ["normal"] * 4 + ["additive", "global"]
    frame.loc[0, "a"] = 7  # the caller's to change
    assert table.X[0, 0] != 7


def test_the_short_form_counts_rows_features_and_anomalies(table):
    short = repr(table)
    assert len(short) < 120
    for fact in (
        "6 rows",
        "3 features",
        "2 anomalies",
        "1 additive",
        "1 global",
        "ground truth",
        "clean twin",
    ):
        assert fact in short
    assert "no ground truth" in repr(LabelledTable(X=np.eye(2), y=[0, 0]))


def test_the_form_for_notebooks_marks_the_ground_truth_and_escapes_names(table):
    named = dataclasses.replace(table, feature_names=("<i>a", "b", "c"))
    shown = named._repr_html_()
    assert "<b>&lt;i&gt;a</b>" in shown
    assert "<i>" not in shown
    assert f"<b>{table.X[4, 0]:.4g}</b>" in shown  # of the ground truth
    assert f"<td>{table.X[4, 1]:.4g}</td>" in shown


def test_a_wide_table_shows_some_features_in_a_notebook():
    wide = LabelledTable(X=np.zeros((20, 500)), y=np.zeros(20, dtype=bool))
    assert len(wide._repr_html_()) < 10_000


def test_an_array_is_a_table_of_normal_rows_and_keeps_its_names():
    assert not as_table(np.eye(3), "X").y.any()
    assert as_table(pd.DataFrame({"u": [1.0], "v": [2.0]}), "X").feature_names == ("u", "v")
    with pytest.raises(InputError, match="rows of mine"):
        as_table("text", "rows of mine")


@pytest.mark.parametrize("function", [standardise, content_hash, write_table])
def test_an_array_where_a_table_is_needed_is_refused_in_one_line(function, tmp_path):
    arguments = [tmp_path / "new"] if function is write_table else []
    with pytest.raises(InputError, match=r"table is of type ndarray.*LabelledTable\(X, y\)"):
        function(np.eye(3), *arguments)


def test_labels_and_masks_with_names_are_put_in_the_order_of_the_rows():
    X = pd.DataFrame({"a": [1.0, 2.0, 30.0], "b": [4.0, 5.0, 6.0]}, index=["u", "v", "w"])
    table = LabelledTable(
        X=X,
        y=pd.Series([1, 0, 0], index=["w", "u", "v"]),
        kind=pd.Series([1, 0, 0], index=["w", "u", "v"]),
        mask=pd.DataFrame({"b": [False] * 3, "a": [False, False, True]}, index=["u", "v", "w"]),
        clean=X.loc[["v", "w", "u"], ["b", "a"]].replace(30.0, 3.0),
    )
    assert table.feature_names == ("a", "b")
    assert table.y.tolist() == [False, False, True]
    assert table.mask.tolist() == [[False, False], [False, False], [True, False]]
    assert table.clean.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert dataclasses.replace(table, X=X[["b", "a"]]).X.tolist() == table.X.tolist()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"y": pd.Series([1, 0], index=[1, 0])}, r"y has the row labels \[1, 0\]"),
        ({"mask": pd.DataFrame({"a": [0, 0], "b": [0, 1]})}, r"mask has the column labels \['a', 'b'\]"),
        ({"y": np.ma.array([0, 1], mask=[0, 1])}, "y is not.*row 1: .*masked"),
    ],
)
def test_labels_and_masks_whose_names_the_rows_lack_are_refused(given, message):
    with pytest.raises(InvalidTable, match=message):
        LabelledTable(**({"X": np.eye(2), "y": [0, 1]} | given))


def test_rows_are_not_chosen_by_a_mask_in_another_order(table):
    with pytest.raises(InputError, match="row labels"):
        table.rows(pd.Series(table.y)[::-1])
