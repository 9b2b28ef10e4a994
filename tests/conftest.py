"""Fixtures that more than one folder of tests uses."""

import os
from pathlib import Path

import numpy as np
import pytest

from xadbench.datasets import LabelledTable

BESIDE_THE_PROJECT = Path(__file__).parents[2] / "shared" / "adbench"


@pytest.fixture(scope="session")
def adbench_folder() -> Path:
    folder = Path(os.environ.get("XADBENCH_ADBENCH_DIR") or BESIDE_THE_PROJECT)
    if not folder.is_dir():
        pytest.skip(f"no ADBench files: {folder} is not a folder (set XADBENCH_ADBENCH_DIR)")
    return folder.resolve()


@pytest.fixture
def table() -> LabelledTable:
    """Six rows of three features; the last two rows are anomalous, with one and two culprits."""
    clean = np.arange(18, dtype=float).reshape(6, 3)
    mask = np.zeros((6, 3), dtype=bool)
    mask[4, 0] = mask[5, 1:] = True
    return LabelledTable(
        X=np.where(mask, clean + 100, clean),
        y=mask.any(axis=1),
        kind=[0, 0, 0, 0, 1, 2],
        kinds=("normal", "additive", "global"),
        mask=mask,
        clean=clean,
        feature_names=("a", "b", "c"),
        provenance={"source": "a test"},
    )
