"""Injection keeps the types of real columns, and changes nothing beside its ground-truth features."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from xadbench.datasets import InputError, LabelledTable, content_hash, load_adbench, load_bundled
from xadbench.datasets.common.errors import Infeasible
from xadbench.datasets.rng import stream
from xadbench.datasets.sources.adbench import adbench_registry
from xadbench.datasets.sources.loading import load_dataset
from xadbench.generator import inject
from xadbench.generator.anomalies.registry import KINDS, Additive, Local, Mechanism, Swap
from xadbench.generator.injection.feature_types import distinct
from xadbench.generator.injection.inject import DEFAULT_KINDS, NEEDS_NETWORK

REAL_KINDS = sorted(KINDS.keys() - NEEDS_NETWORK)
both_bases = pytest.mark.parametrize("base", ["rows", "gmm"])
BINARY, INTEGER, CONSTANT, CONTINUOUS = [0, 1], [2, 3], [4], [5, 6]
COPYING = {kind for kind in REAL_KINDS if KINDS[kind].copies}


def mixed_table(seed, n=200):
    """Columns of two values, integers, one value and reals; a tenth of the rows twice; ten anomalies."""
    rng = stream(seed, "mixed")
    z = rng.standard_normal((n, 7))
    columns = [
        np.where(z[:, 0] > 1, 1.0, 0.0),
        np.where(z[:, 1] > 0, 0.3, -2.7),
        np.rint(3 * z[:, 2]),
        np.floor(np.abs(z[:, 3]) * 2.0),
        np.full(n, 7.7),
        1e5 * z[:, 5],
        z[:, 6] + z[:, 0],
    ]
    X = np.stack(columns, axis=1)
    X[: n // 10] = X[n // 10 : 2 * (n // 10)]
    return LabelledTable(X=X, y=np.arange(n) >= n - 10)


def normal_rows(table):
    return distinct(table.X[~table.y])


seeds = st.integers(0, 2**32)
some_kind = st.sampled_from(sorted(set(REAL_KINDS) - {"cluster"}))


@settings(max_examples=60, deadline=None)
@given(seeds, some_kind, st.floats(0.02, 0.9))
def test_the_mask_is_the_changed_cells_and_all_others_keep_their_bits(seed, kind, ratio):
    source = mixed_table(seed % 50)
    table = inject(source, [kind], ratio=ratio, seed=seed)
    normal = normal_rows(source)
    if kind in COPYING:  # some rows are held out
        kept = (table.clean[:, None, :] == normal[None, :, :]).all(axis=2).argmax(axis=1)
        assert (np.diff(kept) > 0).all()
        normal = normal[kept]
    assert table.clean.tobytes() == normal.tobytes()
    assert_array_equal(table.mask, table.X != table.clean)
    assert_array_equal(table.X.view(np.int64) != table.clean.view(np.int64), table.mask)
    assert table.mask[table.y].any(axis=1).all()
    assert table.y.sum() == round(ratio * len(table.clean))


@settings(max_examples=60, deadline=None)
@given(seeds, some_kind)
def test_columns_keep_their_types_and_ranges(seed, kind):
    source = mixed_table(seed % 50)
    check_types(inject(source, [kind], ratio=0.5, seed=seed).X, normal_rows(source), kind)


@pytest.mark.parametrize("kind", ["cluster", "local"])
@both_bases
def test_a_mixture_keeps_types_and_ranges(kind, base):
    source = mixed_table(0)
    table = inject(source, [kind], ratio=0.5, base=base)
    check_types(table.X, normal_rows(source), kind)
    check_types(table.clean, normal_rows(source), "none")


def check_types(X, normal, kind):
    for column in BINARY + CONSTANT:
        assert set(X[:, column]) <= set(normal[:, column])
    assert_array_equal(X[:, INTEGER], np.rint(X[:, INTEGER]))
    if kind not in KINDS or not KINDS[kind].moves_margin:
        assert (X[:, INTEGER] >= normal[:, INTEGER].min(axis=0)).all()
        assert (X[:, INTEGER] <= normal[:, INTEGER].max(axis=0)).all()


def test_in_a_mixture_rare_values_stay_as_frequent_as_they_were():
    source = mixed_table(0)
    source = replace(source, X=np.where(np.arange(7) == 0, (np.arange(200) % 40 == 0)[:, None], source.X))
    clean, real = inject(source, base="gmm").clean, normal_rows(source)
    assert_array_equal(np.sort(clean[:, BINARY], axis=0), np.sort(real[:, BINARY], axis=0))


def test_a_shift_takes_integers_out_of_their_range_unless_that_is_a_bound():
    z = stream(3, "counts").standard_normal((300, 3))
    X = np.stack([np.rint(30 * z[:, 0]), np.clip(np.rint(50 + 30 * z[:, 1]), 0, 100), z[:, 2]], axis=1)
    source = LabelledTable(X=X, y=np.zeros(300, bool))
    table = inject(source, [Additive(mean_in_std=30.0)], ratio=0.5, seed=2)
    free, bounded = (table.X[table.mask[:, j], j] for j in (0, 1))
    assert (free > X[:, 0].max()).all()
    assert (free == np.rint(free)).all()
    assert set(bounded) <= set(range(101))


@pytest.mark.parametrize("kind", sorted(COPYING))
def test_copied_values_are_those_of_rows_that_are_held_out(kind):
    source = mixed_table(1)
    table = inject(source, [kind], ratio=0.2)
    normal = normal_rows(source)
    held_out = normal[~(normal[:, None, :] == table.clean[None, :, :]).all(axis=2).any(axis=1)]
    assert len(held_out) == len(normal) - table.n_rows == table.provenance["held_out"]
    for j in CONTINUOUS:
        new = table.X[table.mask[:, j], j]
        assert np.isin(new, held_out[:, j]).mean() > 0.8  # the others differed too little
        assert len(np.unique(table.X[:, j])) == table.n_rows


def test_repeated_rows_and_the_anomalies_of_the_source_are_left_out():
    source = mixed_table(0)
    clean = inject(source).clean
    assert len(clean) == len(np.unique(source.X[:190], axis=0)) == 170
    assert_array_equal(clean[:3], source.X[:3])
    assert not (clean[:, None, :] == source.X[None, 190:, :]).all(axis=2).any()


def test_distinct_keeps_the_first_of_each():
    rows = np.array([[2.0, 1.0], [0.0, 1.0], [2.0, 1.0], [-0.0, 1.0]])
    assert_array_equal(distinct(rows), [[2, 1], [0, 1]])


def even_corners(n_features):
    """All rows of zeros and ones with an even number of ones: to flip one value leaves them."""
    X = np.array(np.meshgrid(*[[0.0, 1.0]] * n_features)).reshape(n_features, -1).T
    X = X[X.sum(axis=1) % 2 == 0]
    return LabelledTable(X=X, y=np.zeros(len(X), bool))


def test_rows_that_a_kind_cannot_change_make_way_for_others():
    source = even_corners(5)
    odd = Additive(affected={"size": [1, 2]})  # two changes lead to another normal row
    table = inject(source, [odd], ratio=0.2)
    assert set(table.mask[table.y].sum(axis=1)) == {1}


def test_no_row_serves_two_kinds():
    source = even_corners(7)
    for seed in range(5):
        table = inject(source, ["additive", "local", "multiplicative"], ratio=0.5, seed=seed)
        assert np.bincount(table.kind).tolist() == [32, 11, 11, 10]


def test_a_kind_that_can_change_no_row_is_refused_and_names_the_columns():
    every_corner = np.array(np.meshgrid(*[[0.0, 1.0]] * 5)).reshape(5, -1).T
    table = LabelledTable(X=every_corner, y=np.zeros(32, bool), feature_names=tuple("abcde"))
    with pytest.raises(Infeasible, match=r"'additive' cannot change 6 of 32 normal rows: .* few values"):
        inject(table, [Additive()], ratio=0.2)
    with pytest.raises(Infeasible, match=r"in columns \['[a-e]'.*\]: "):
        inject(table, [Additive()], ratio=0.2, protocol="paper")


def test_too_few_rows_for_donors_are_refused_with_the_remedy():
    source = mixed_table(0).rows(np.arange(30, 45))
    with pytest.raises(Infeasible, match=r"\(dependency, swap\) .* of 15 .* 7 would stay and 8 be held out"):
        inject(source, ["dependency", "swap"], ratio=0.5)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Mechanism(), "anomaly kind 'mechanism' needs a network; real rows come without"),
        (
            Local(strength={"oracle_auc": 0.9}),
            "'local': oracle_auc needs a network; expected a number",
        ),
        (Swap(affected={"along": "graph"}), "anomaly kind 'swap': real rows have no graph"),
    ],
)
def test_what_needs_a_network_is_refused(kind, message):
    with pytest.raises(InputError, match=message):
        inject(mixed_table(0), [kind])


@pytest.mark.parametrize("name", ["mine.csv", "mine.parquet"])
def test_a_file_of_the_users_takes_anomalies(tmp_path, name):
    source, path = mixed_table(0), tmp_path / name
    frame = pd.DataFrame(source.X, columns=list("abcdefg")).assign(bad=source.y)
    frame.to_csv(path, index=False) if name.endswith("csv") else frame.to_parquet(path)
    table = inject(load_dataset(str(path), label="bad"))
    assert content_hash(table) == content_hash(inject(source))
    assert table.provenance["source"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


CODE = """
import sys; sys.path.insert(0, {folder!r})
from test_injected_types import mixed_table
from xadbench.datasets import content_hash
from xadbench.generator import inject
print(content_hash(inject(mixed_table(1), {kinds!r}, ratio=0.3)))
"""


def test_processes_and_threads_give_the_same_bits(request):
    kinds = [kind for kind in REAL_KINDS if kind != "cluster"]
    code = CODE.format(folder=str(request.path.parent), kinds=kinds)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603  # our own code
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: content_hash(inject(mixed_table(1), kinds, ratio=0.3)), range(4)))
    assert {done.stdout.strip(), *found} == {found[0]}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("wine", "363421052a343551b868c7ee047bb32bef006310951fd6aa01a3d2e46b25947b"),
        ("mixed", "d0f111c72527f599c6e0f3a1ebdd33f03cf5266de42a9e246614695a5012d7d4"),
    ],
)
def test_the_content_stays_what_it_was(source, expected):
    table = load_bundled("wine") if source == "wine" else mixed_table(1)
    assert content_hash(inject(table, ratio=0.2)) == expected


CLASSICAL = {entry.name: entry.file for entry in adbench_registry().values() if entry.group == "Classical"}


# InternetAds takes as long as all the others together, by its 1555 features; that of kinds is not new in it.
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name == "InternetAds" else []) for name in CLASSICAL],
)
def test_every_classical_set_takes_every_kind(adbench_folder, name):
    if not (adbench_folder / CLASSICAL[name]).is_file():
        pytest.skip(f"{adbench_folder} has no file {CLASSICAL[name]}")
    table = load_adbench(name, adbench_folder)
    table = table.rows(np.flatnonzero(~table.y)[:1000])
    for kinds in (DEFAULT_KINDS, *([kind] for kind in REAL_KINDS if kind != "cluster")):
        check(inject(table, kinds), kinds)
    check(inject(table, REAL_KINDS, ratio=0.1, base="gmm"), REAL_KINDS)


def check(table, kinds):
    assert_array_equal(table.mask, table.X != table.clean)
    assert table.kinds[1:] == tuple(kinds)


@pytest.mark.parametrize("kind", ["dependency", "swap", "additive"])
def test_no_anomaly_is_a_normal_row(kind):
    grid = np.array([(i % 7, i // 7 % 7, i // 49 % 7, (i * i) % 5) for i in range(343)], dtype=float)[::3]
    table = inject(LabelledTable(X=grid, y=np.zeros(len(grid), bool)), [kind], ratio=0.2)
    normal = {tuple(row) for row in table.X[~table.y]}
    assert not normal & {tuple(row) for row in table.X[table.y]}
