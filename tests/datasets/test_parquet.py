import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from xadbench.datasets import parquet


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
