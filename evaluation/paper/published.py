"""The published figures that come with the package, and which data sets they are about."""

import csv
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from xadbench.datasets.adbench import adbench_path, adbench_registry
from xadbench.datasets.errors import InputError, unknown

CLASSICAL = "Classical"
COLUMNS = ["dataset", "method", "mean", "std"]


@cache
def published(name: str) -> pd.DataFrame:
    """Return published figures.

    Parameters
    ----------
    name
        "table1_auc_roc", "supplement_f1" or "figure1_unsupervised_auc_roc".

    Returns
    -------
    DataFrame
        Columns `dataset` (the name in ADBench), `method`, `mean`, `std`, in the published order; figures in
        [0, 1]. Figure 1's sets of images and text, means over several files, are left out.
    """
    source = files("xadbench.evaluation.published") / f"{name}.csv"
    with source.open(encoding="utf-8") as file:
        frame = pd.DataFrame(csv.DictReader(file))[COLUMNS].astype({"mean": float, "std": float})
    if name.startswith("figure1"):  # in percent, and in lower case
        frame[["mean", "std"]] /= 100
        frame["dataset"] = frame["dataset"].map(_by_lower_case())
        frame = frame.dropna(subset="dataset").reset_index(drop=True)
    return frame


def _by_lower_case() -> dict[str, str]:
    entries = adbench_registry().values()
    return {entry.name.lower(): entry.name for entry in entries if entry.group == CLASSICAL}


def published_datasets() -> list[str]:
    """Return the data sets of table I, in its order."""
    return list(dict.fromkeys(published("table1_auc_roc")["dataset"]))


def find_datasets(names: Sequence[str]) -> list[str]:
    """Return the data sets of these names, written in any case; `InputError` for one that table I lacks."""
    known = {name.lower(): name for name in published_datasets()}
    for name in names:
        if name.lower() not in known:
            raise unknown("data set of the paper", name, known.values())
    return [known[name.lower()] for name in dict.fromkeys(names)]


def available(
    names: Sequence[str], find: Callable[[str], Path] = adbench_path
) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the files of those data sets that are there, and for the others the reason."""
    found, absent = {}, {}
    for name in names:
        try:
            found[name] = find(name)
        except InputError as error:
            absent[name] = str(error)
    return found, absent


def smallest(found: dict[str, Path], n: int) -> list[str]:
    """Return the `n` data sets with the smallest files, in bytes, the smallest first."""
    return sorted(found, key=lambda name: (found[name].stat().st_size, name))[:n]
