"""Long tables: made block by block, written chunk by chunk, and the same as in one piece."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal

from xadbench.datasets import InputError, content_hash, read_table
from xadbench.datasets.common import limits
from xadbench.datasets.files import write_parts
from xadbench.evaluation.cli.generate import generate as command
from xadbench.generator import generate, generate_blocks
from xadbench.generator.anomalies.registry import KINDS
from xadbench.generator.draws import BLOCK_ROWS
from xadbench.generator.recipe import Recipe

PER_ROW = {"dependency", "mechanism"}


def recipe(rows):
    anomalies = [{"kind": kind, "affected": {"per": "row" if kind in PER_ROW else "kind"}} for kind in KINDS]
    graph = {"nodes": 5, "edges": 6}
    return Recipe.model_validate(
        {"name": "long", "rows": rows, "anomaly_ratio": 0.1, "graph": graph, "anomalies": anomalies}
    )


@pytest.fixture(scope="module")
def blocks():
    return list(generate_blocks(recipe(2 * BLOCK_ROWS + 1)))


def test_blocks_are_of_fixed_length(blocks):
    assert [block.n_rows for block in blocks] == [BLOCK_ROWS, BLOCK_ROWS, 1]


def test_every_block_has_every_kind(blocks):
    for block in blocks[:2]:
        assert set(block.kind) == set(range(len(KINDS) + 1))
        assert abs(block.y.mean() - 0.1) < 0.02
    assert sum(block.y.sum() for block in blocks) == round(0.1 * (2 * BLOCK_ROWS + 1))


def test_a_kind_keeps_its_affected_set_over_all_blocks(blocks):
    for label, kind in enumerate(KINDS, start=1):
        first, second = (np.unique(block.mask[block.kind == label], axis=0) for block in blocks[:2])
        assert (len(first) > 1) == (kind in PER_ROW)
        if kind not in PER_ROW:
            assert_array_equal(first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_no_block_repeats_the_values_of_another(blocks, kind):
    label = list(KINDS).index(kind) + 1
    first, second = (block.X[block.kind == label] - block.clean[block.kind == label] for block in blocks[:2])
    assert not np.isin(first[first != 0], second).any()


def test_clean_rows_are_those_of_a_shorter_table(blocks):
    assert_array_equal(blocks[0].clean[:100], generate(recipe(100)).clean)


@pytest.mark.parametrize("chunk_rows", [1000, 1_000_000])
def test_a_table_written_in_chunks_is_the_one_made_in_one_piece(blocks, chunk_rows, tmp_path):
    written = write_parts(iter(blocks), tmp_path / "long", chunk_rows)
    whole = generate(recipe(2 * BLOCK_ROWS + 1))
    assert written.content_hash == content_hash(whole) == content_hash(read_table(tmp_path / "long"))
    assert (written.n_rows, written.n_anomalies) == (whole.n_rows, whole.y.sum())
    groups = pq.ParquetFile(tmp_path / "long" / "clean.parquet")
    assert groups.num_row_groups == -(-whole.n_rows // chunk_rows)


def test_a_table_that_fails_half_way_leaves_nothing(blocks, tmp_path):
    def failing():
        yield blocks[0]
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        write_parts(failing(), tmp_path / "long")
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_into_memory_is_refused_with_what_it_needs(monkeypatch):
    monkeypatch.setattr(limits, "memory_bytes", lambda: 8 * 10**9)
    with pytest.raises(InputError, match=r"10000000000 rows.*240 GB.*8 GB.*--rows.*--seed"):
        next(generate_blocks(recipe(10**10)))
    with pytest.raises(InputError, match=r"100000000 rows.*17 GB.*8 GB.*--chunk-rows"):
        generate(recipe(10**8))


def test_the_command_refuses_more_rows_at_once_than_memory_holds(monkeypatch, tmp_path):
    monkeypatch.setattr(limits, "memory_bytes", lambda: 10**6)
    with pytest.raises(InputError, match=r"6000 rows at once.*--chunk-rows"):
        command("table2-d10-5", rows=6000, out=tmp_path / "t")
    assert not list(tmp_path.iterdir())
