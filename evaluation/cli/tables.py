"""The tables that commands write."""

from collections.abc import Iterable
from pathlib import Path

import typer

from xadbench.datasets import InputError, LabelledTable
from xadbench.datasets.common.parquet import CHUNK_ROWS
from xadbench.datasets.files import write_parts


def new(folder: Path) -> Path:
    """Return `folder`, refusing one that exists: before the work rather than after it."""
    if folder.exists():
        raise InputError(f"{folder} exists already; choose another folder or remove it")
    return folder


def save(parts: Iterable[LabelledTable], folder: Path, chunk_rows: int = CHUNK_ROWS) -> None:
    """Write a table, and say what was written and what identifies it."""
    table = write_parts(parts, folder, chunk_rows)
    size = f"{table.n_rows} rows, {table.n_features} features"
    anomalies = f"{table.n_anomalies} anomalies ({', '.join(table.kinds[1:])})"
    typer.echo(f"{folder}: {size}, {anomalies}; content {table.content_hash}")
