"""Options that several commands have, and what their values may be."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from xadbench.datasets.common.errors import InputError

Affected = Annotated[
    Literal["per-row", "paper"],
    typer.Option(help="per-row: each anomaly affects features of its own; paper: one set for all of a kind."),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The folder to write.")]
Seed = Annotated[int, typer.Option(min=0, help="Decides all that is random.")]


def split_commas(values: list[str] | None) -> list[str]:
    """Return the values of an option that takes several, each given by itself or with commas between."""
    return [part.strip() for value in values or [] for part in value.split(",") if part.strip()]


def whole_number(what: str, text: str) -> int:
    """Return a number of at least 0; `InputError` for any other text."""
    if not text.isdecimal():
        raise InputError(f"{what} is {text!r}, expected a whole number of at least 0")
    return int(text)
