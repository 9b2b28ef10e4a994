import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from xadbench.datasets.common import parquet


@pytest.mark.parametrize("chunk_rows", [2, 100])
def test_a_long_file_reads_as_a_short_one_does_and_can_be_written_to(tmp_path, monkeypatch, chunk_rows):
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b.c": [1, 2, 3], "word": ["x", None, "z"]})
    frame["none"] = None
    frame["sort"] = frame["word"].astype("category")
    frame.to_parquet(tmp_path / "f.parquet", index=False)
    monkeypatch.setattr(parquet, "CHUNK_ROWS", chunk_rows)
    found = parquet.read_frame(tmp_path / "f.parquet", "a frame")
    assert_frame_equal(found, frame)
    found.loc[0, ["a", "b.c"]] = 7
    assert found.loc[0, "a"] == found.loc[0, "b.c"] == 7


def test_columns_of_one_name_are_all_read(tmp_path, monkeypatch):
    columns = [pa.array([1.0, 2.0, 3.0]), pa.array([4.0, 5.0, 6.0])]
    pq.write_table(pa.Table.from_arrays(columns, names=["a", "a"]), tmp_path / "f.parquet")
    monkeypatch.setattr(parquet, "CHUNK_ROWS", 2)
    assert parquet.read_frame(tmp_path / "f.parquet", "a frame").to_numpy().tolist() == [
        [1, 4],
        [2, 5],
        [3, 6],
    ]
