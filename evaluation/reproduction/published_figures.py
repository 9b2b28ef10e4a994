"""The published figures that come with the package, and which data sets they are about."""

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from xadbench.datasets.common.errors import InputError, unknown
from xadbench.datasets.sources.adbench import adbench_path, adbench_registry, find_adbench

CLASSICAL = "Classical"
COLUMNS = ["dataset", "method", "mean", "std"]
EXPLAINERS = {  # what the explainers of tables III to V are called here
    "shap": "kernel_shap",
    "gradient": "saliency",
    "dsil_mean": "diffusion_mean",
    "dsil_max": "diffusion_max",
}
RATIOS = {
    "4": "5",
    "9": "10",
}  # in percent; three kinds do not share 5 or 10 % evenly, and table III rounds down


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
    source = files("xadbench.evaluation.reproduction.published") / f"{name}.csv"
    with source.open(encoding="utf-8") as file:
        frame = pd.DataFrame(csv.DictReader(file))[COLUMNS].astype({"mean": float, "std": float})
    if name.startswith("figure1"):  # in percent, and in lower case
        frame[["mean", "std"]] /= 100
        frame["dataset"] = frame["dataset"].map(_by_lower_case())
        frame = frame.dropna(subset="dataset").reset_index(drop=True)
    return frame


@cache
def published_explanations(name: str) -> pd.DataFrame:
    """Return published figures about explainers, by our names.

    Parameters
    ----------
    name
        "table3_synthetic_explanations", "table4_injected_adbench_explanations" or "table5_infidelity".

    Returns
    -------
    DataFrame
        Columns `dataset` (a recipe, or the name in ADBench), `method` (a registered explainer), `metric`
        ("ndcg_m", "acc_m", "seconds" or "infidelity"), `mean`, `std` (NaN where none was published).
    """
    source = files("xadbench.evaluation.reproduction.published") / f"{name}.csv"
    with source.open(encoding="utf-8") as file:
        return pd.DataFrame([_explanation(row) for row in csv.DictReader(file)])


def _explanation(row: Mapping[str, str]) -> dict[str, str | float]:
    if "infidelity" in row:
        figures = ("infidelity", float(row["infidelity"]), math.nan)
    else:
        figures = (row["metric"].replace("time_s", "seconds"), float(row["mean"]), float(row["std"]))
    names = (_table(row), EXPLAINERS[row["explainer"]])
    return dict(zip(("dataset", "method", "metric", "mean", "std"), (*names, *figures), strict=True))


def _table(row: Mapping[str, str]) -> str:
    if "dataset" in row:
        return _by_lower_case()[row["dataset"].lower()]
    ratio = row["anomaly_percent"]
    return f"table2-d{row['n_features']}-{RATIOS.get(ratio, ratio)}"


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
    names: Sequence[str], n_smallest: int | None = None, find: Callable[[str], Path] = adbench_path
) -> tuple[list[str], dict[str, str]]:
    """Return the data sets that are there, and for others the reason.

    With `n_smallest`, those with the smallest files come first, by the registry's sizes, and the search ends
    when so many are found: no larger one is downloaded.
    """
    found: list[str] = []
    absent: dict[str, str] = {}
    for name in names if n_smallest is None else sorted(names, key=_size):
        if len(found) == n_smallest:
            break
        try:
            find(name)
        except InputError as error:
            absent[name] = str(error)
        else:
            found.append(name)
    return found, absent


def _size(name: str) -> tuple[float, str]:
    """Return the bytes of a data set's file, infinite where the registry lacks them, and its name."""
    return find_adbench(name).size or math.inf, name
