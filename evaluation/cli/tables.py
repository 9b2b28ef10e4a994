"""The tables that commands write."""

from collections.abc import Iterable
from pathlib import Path

import typer

from xadbench.datasets import LabelledTable
from xadbench.datasets.common.parquet import CHUNK_ROWS
from xadbench.datasets.files import write_parts


def save(parts: Iterable[LabelledTable], folder: Path, chunk_rows: int = CHUNK_ROWS) -> None:
    """Write a table, and say what was written and what identifies it."""
    table = write_parts(parts, folder, chunk_rows)
    size = f"{table.n_rows} rows, {table.n_features} features"
    anomalies = f"{table.n_anomalies} anomalies ({', '.join(table.kinds[1:])})"
    typer.echo(f"{folder}: {size}, {anomalies}; content {table.content_hash}")
