import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xadbench.datasets import InputError
from xadbench.datasets.tabular import read_tabular


def written(folder, text, name="mine.csv"):
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def frame():
    return pd.DataFrame({"a": [1.5, 2.5, 0.1], "b": [1, 2, 3], "c": [True, False, True]})


def test_a_csv_and_a_parquet_file_give_the_same_table(tmp_path, frame):
    frame.to_csv(tmp_path / "mine.csv", index=False)
    frame.to_parquet(tmp_path / "mine.parquet")
    for name in ("mine.csv", "mine.parquet"):
        table = read_tabular(tmp_path / name)
        assert table.feature_names == ("a", "b", "c")
        assert table.X.tolist() == [[1.5, 1, 1], [2.5, 2, 0], [0.1, 3, 1]]
        assert not table.y.any()


@given(arrays(np.float64, (3, 2), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_a_csv_keeps_every_bit(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "bits.csv"
    pd.DataFrame(values, columns=["a", "b"]).to_csv(path, index=False)
    assert read_tabular(path).X.tobytes() == values.tobytes()


def test_empty_lines_are_no_rows_of_many_columns_and_large_floats_stay(tmp_path):
    table = read_tabular(written(tmp_path, "\na,b\n1,9007199254740994.0\n\n3,1e300\n\n"))
    assert table.X.tolist() == [[1, 2.0**53 + 2], [3, 1e300]]
    assert read_tabular(written(tmp_path, "\n\na\n1\n3\n")).X.tolist() == [[1], [3]]


@pytest.mark.parametrize("labels", ["0 1 0", "False True False", "0.0 1.0 0.0"])
def test_the_label_column_is_no_feature(tmp_path, labels):
    rows = [f"{i},{label}" for i, label in enumerate(labels.split())]
    table = read_tabular(written(tmp_path, "\n".join(["a,y", *rows])), label="y")
    assert table.feature_names == ("a",)
    assert table.y.tolist() == [False, True, False]


def test_provenance_names_the_file_and_its_hash(tmp_path):
    path = written(tmp_path, "a,b\n1,2\n")
    assert read_tabular(path).provenance == {
        "source": "file",
        "file": "mine.csv",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "label": None,
    }


def test_an_index_in_a_parquet_file_is_no_feature(tmp_path, frame):
    frame.set_axis(["r1", "r2", "r3"]).to_parquet(tmp_path / "mine.PARQUET")
    assert read_tabular(tmp_path / "mine.PARQUET").feature_names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,red\n", "column 'b', row 2: 'red': not a number"),
        ("a,b\n1,2\n3,\n", "column 'b', row 2: 'nan': a missing value"),
        ("a,b\n1,2\n3\n", "column 'b', row 2: 'nan': a missing value"),
        ("a,b\n1,2\n-inf,2\n", r"column 'a', row 2: '-inf': expected a finite number"),
        ("a,b\n1,9007199254740993\n", "column 'b', row 1: '9007199254740993': an integer beyond"),
        ("id,b\n0.5,1\n9007199254740993,2\n", "column 'id', row 2: '9007199254740993': an integer beyond"),
        ("b,id\n1,-9007199254740993\n2,1e3\n", "column 'id', row 1: '-9007199254740993': an integer beyond"),
        ("a\n1\n\n3\n", "column 'a', row 2: 'nan': a missing value"),
        ("\na\n1\n3\n\n", "column 'a', row 3: 'nan': a missing value"),
        ("a,b\n1_000,2\n", "column 'a', row 1: '1_000': not a number"),
        ("a,b\n1,99999999999999999999999\n", "column 'b'"),
        ("a,b,a\n1,2,3\n", "column 'a' comes 2 times"),
        (",b\n0,1\n", "column 1 has no name"),
        ("1.5,2\n3,4\n", "the first line holds numbers; expected the names of the columns"),
        ("a,b\n1,2,3\n", "cannot be read: "),
        ("a,b\n1,2\n1,2,3\n", "cannot be read: "),
        ("a,b\n", "no rows"),
        ("", "cannot be read: No columns"),
        ("a,y\n1,2\n", r"feature_names may not hold \['y'\]"),
    ],
)
def test_a_bad_csv_is_refused_in_one_line(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        read_tabular(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("0 2", "column 'bad', row 2: '2': expected 0 or 1"),
        ("0 yes", "column 'bad', row 2: 'yes': not a number"),
    ],
)
def test_bad_labels_are_refused(tmp_path, labels, message):
    first, second = labels.split()
    with pytest.raises(InputError, match=message):
        read_tabular(written(tmp_path, f"a,bad\n1,{first}\n2,{second}\n"), label="bad")


def test_an_unknown_label_column_lists_the_columns(tmp_path):
    with pytest.raises(InputError, match=r"no column 'z' for the labels; columns: a, b$"):
        read_tabular(written(tmp_path, "a,b\n1,2\n"), label="z")


def test_a_file_with_nothing_but_labels_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"X has shape \(1, 0\)"):
        read_tabular(written(tmp_path, "a\n1\n"), label="a")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.to_datetime(["2026-01-01"]), r"column 'a' holds timestamp\[\w+\] values; expected numbers"),
        (pd.array([None], dtype="Int64"), "column 'a', row 1: 'nan': a missing value"),
        ([[1, 2]], r"column 'a' holds list<\w+: int64> values; expected numbers"),
        (pd.array([2**63], dtype="uint64"), "column 'a', row 1: '9223372036854775808': an integer beyond"),
    ],
)
def test_a_bad_parquet_column_is_refused(tmp_path, values, message):
    path = tmp_path / "mine.parquet"
    pd.DataFrame({"a": values}).to_parquet(path)
    with pytest.raises(InputError, match=message):
        read_tabular(path)


def test_columns_of_a_parquet_file_may_be_called_like_numbers(tmp_path):
    path = tmp_path / "spectrum.parquet"
    pd.DataFrame({"400.5": [0.1], "401.0": [0.2]}).to_parquet(path)
    assert read_tabular(path).feature_names == ("400.5", "401.0")


def test_a_column_twice_in_a_parquet_file_is_refused(tmp_path):
    path = tmp_path / "mine.parquet"
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(InputError, match="column 'a' comes 2 times"):
        read_tabular(path)


@pytest.mark.parametrize("reported", ["3", "{}", "[3, {}]", "null", '"a"'])
def test_an_index_that_is_none_is_ignored(tmp_path, reported):
    table = pa.table({"a": [1.0]}).replace_schema_metadata({"pandas": f'{{"index_columns": {reported}}}'})
    pq.write_table(table, tmp_path / "mine.parquet")
    assert read_tabular(tmp_path / "mine.parquet").feature_names == ("a",)


def test_metadata_that_is_no_json_is_refused(tmp_path):
    pq.write_table(pa.table({"a": [1.0]}).replace_schema_metadata({"pandas": "{"}), tmp_path / "mine.parquet")
    with pytest.raises(InputError, match=r"mine\.parquet: pandas's metadata: not valid JSON"):
        read_tabular(tmp_path / "mine.parquet")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mine.parquet", b"no parquet", r"mine\.parquet: cannot be read: "),
        ("mine.csv", b"a,b\n\xff\xfe,1\n", r"mine\.csv: cannot be read: "),
        ("mine.xlsx", b"", r"mine\.xlsx: .*; expected one of \*\.csv, \*\.parquet"),
    ],
)
def test_an_unreadable_file_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_tabular(tmp_path / name)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: cannot be read: No such file"):
        read_tabular(tmp_path / "none.csv")
