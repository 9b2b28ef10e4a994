"""Data sets that share rows: found by these, and declared."""

import csv
from importlib.resources import files

import numpy as np
import pytest

from xadbench.datasets import load_adbench
from xadbench.datasets.sources.overlaps import Overlap, declared_sources, find_overlaps


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(40, 3))


def test_shared_rows_are_found_however_often_they_come_and_however_scaled(rows):
    sets = {"all": rows, "part": np.repeat(rows[:20], 3, axis=0), "other": rows + 100, "few": rows[:, :2]}
    found = {pair[:2]: pair for pair in find_overlaps(sets)}
    assert found["all", "part"] == Overlap("all", "part", "rows", 20, 1.0)
    assert found["all", "other"] == Overlap("all", "other", "scaled rows", 40, 1.0)
    assert not any("few" in pair for pair in found)


def test_some_rows_and_rows_of_zeros_and_ones_are_no_overlap(rows):
    other = rows**3 + 2
    other[:2] = rows[:2]
    binary = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1]])
    sets = {"one": np.vstack([rows, binary]), "two": np.vstack([other, binary])}
    assert list(find_overlaps(sets)) == []
    assert list(find_overlaps({"one": binary, "two": binary})) == []


def test_the_list_says_what_the_search_finds(adbench_folder):
    text = (files("xadbench.datasets.sources") / "overlaps.csv").read_text()
    declared = [pair for pair in csv.DictReader(text.splitlines()) if pair["shared"]]
    assert {(pair["first"], pair["second"]) for pair in declared} >= {("breastw", "WBC")}
    for pair in declared:
        names = pair["first"], pair["second"]
        found = list(find_overlaps({name: load_adbench(name, adbench_folder).X for name in names}))
        assert (pair["found_by"], pair["shared"]) == (found[0].found_by, str(found[0].shared))
        assert declared_sources()[names[0]] == declared_sources()[names[1]]
