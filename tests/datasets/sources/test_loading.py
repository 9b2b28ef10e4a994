import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from xadbench.datasets import InputError, write_table
from xadbench.datasets.sources.loading import as_table, load_dataset


def test_every_source_has_its_form(table, tmp_path):
    write_table(table, tmp_path / "t")
    (tmp_path / "mine.csv").write_text("a,bad\n1,0\n2,1\n")
    assert load_dataset("bundled:wine").provenance["name"] == "wine"
    assert_array_equal(load_dataset(str(tmp_path / "t")).X, table.X)
    assert load_dataset(str(tmp_path / "mine.csv")).feature_names == ("a", "bad")
    assert load_dataset(str(tmp_path / "mine.csv"), label="bad").y.tolist() == [False, True]


def test_a_written_table_may_be_called_like_a_file(table, tmp_path):
    write_table(table, tmp_path / "t.csv")
    assert_array_equal(load_dataset(str(tmp_path / "t.csv")).X, table.X)


def test_a_source_that_is_misspelt_is_suggested():
    with pytest.raises(InputError, match=r"no module 'adbnch', .*; did you mean adbench:WBC\?$"):
        load_dataset("adbnch:WBC", run_code=True)
    with pytest.raises(InputError, match=r"no module 'acme', [^;]*$"):
        load_dataset("acme:WBC", run_code=True)


@pytest.mark.parametrize(
    ("name", "label", "message"),
    [
        (
            "wine",
            None,
            r"unknown data set 'wine' .*bundled:wine.*; expected .* or a \.csv or \.parquet file",
        ),
        ("none.csv", None, r"none\.csv: cannot be read: No such file"),
        ("bundled:wine", "y", "'bundled:wine' has labels of its own; a label column goes with a CSV"),
        ("bundled:iris", None, "unknown bundled data set 'iris'"),
    ],
)
def test_a_name_that_finds_nothing_is_refused(name, label, message):
    with pytest.raises(InputError, match=message):
        load_dataset(name, label)


def test_what_a_function_returns_is_ordered_by_its_labels():
    X = pd.DataFrame({"a": [1.0, 2.0, 30.0], "b": [4.0, 5.0, 6.0]})
    mask = pd.DataFrame({"b": [0, 0, 0], "a": [1, 0, 0]}, index=[2, 1, 0])
    table = as_table(lambda: (X, pd.Series([1, 0, 0], index=[2, 0, 1]), mask))
    assert table.feature_names == ("a", "b")
    assert table.y.tolist() == [False, False, True]
    assert table.mask[2].tolist() == [True, False]
