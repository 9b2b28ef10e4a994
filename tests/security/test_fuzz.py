"""Whatever a file holds, its reader returns or raises the project's own error, in one line.

Each reader gets valid files with bytes flipped, put in, taken out or cut off; valid trees with parts deleted,
moved or replaced by junk; Parquet files of any columns; and random bytes. The run is the same each time;
`pytest -m slow tests/security/test_fuzz.py` tries many more.
"""

import copy
import datetime as dt
import json
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xadbench.datasets import InputError, LabelledTable, read_table, write_table
from xadbench.datasets.tabular import read_tabular
from xadbench.dsil import DTENonParametric, load
from xadbench.evaluation.submission.attributions import _attributions, _read
from xadbench.evaluation.submission.tasks import tasks
from xadbench.evaluation.suite.spec import Suite, load_suite
from xadbench.evaluation.trial.fit import fit
from xadbench.generator import load_recipe
from xadbench.generator.recipe import RECIPES
from xadbench.generator.releases.spec import load_release
from xadbench.generator.releases.verify import verify

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**31, 2**63, -(2**64), 10**30, 10**400, 1e308, -0.0, float("nan"), float("inf")]),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(
        ["\ud800", "\x00", "../x", "x" * 300, "normal", "y", "x0", "a.yaml", "adbench:", "<<", "1e9"]
    ),
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def places(tree):
    """Return every (container, key) in a tree."""
    if isinstance(tree, dict | list):
        items = list(tree.items() if isinstance(tree, dict) else enumerate(tree))
        return [(tree, key) for key, _ in items] + [place for _, value in items for place in places(value)]
    return []


@st.composite
def mutated_tree(draw, tree, junk=JUNK):
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        here = places(tree)
        if not here:
            break
        container, key = here[draw(st.integers(0, len(here) - 1))]
        match draw(st.sampled_from(["replace", "delete", "insert", "paste"])):
            case "replace":
                container[key] = draw(junk)
            case "delete":
                del container[key]
            case "insert" if isinstance(container, list):
                container.insert(key, draw(junk))
            case "insert":
                container[draw(st.text(max_size=3))] = draw(junk)
            case "paste":
                other, there = here[draw(st.integers(0, len(here) - 1))]
                container[key] = copy.deepcopy(other[there])
    return tree


@st.composite
def mutated_bytes(draw, content):
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(changed)))
        match draw(st.sampled_from(["flip", "insert", "delete", "truncate"])):
            case "flip" if at < len(changed):
                changed[at] ^= 1 << draw(st.integers(0, 7))
            case "insert":
                changed[at:at] = draw(st.binary(max_size=4))
            case "delete":
                del changed[at : at + draw(st.integers(1, 8))]
            case "truncate":
                del changed[at:]
    return bytes(changed)


def any_text(content):
    return st.binary(max_size=60) | mutated_bytes(content)


def as_yaml(tree):
    return yaml.safe_dump(tree).encode("utf-8", "surrogatepass")


def any_yaml(tree):
    dates = st.dates() | st.datetimes(max_value=dt.datetime(2100, 1, 1)) | st.binary(max_size=3)  # noqa: DTZ001
    return mutated_tree(tree, JUNK | dates).map(as_yaml) | any_text(as_yaml(tree))


def any_json(tree):
    return mutated_tree(tree).map(lambda tree: json.dumps(tree).encode()) | any_text(
        json.dumps(tree).encode()
    )


COLUMNS = {
    pa.float64(): [0.0, 1.0, float("nan"), float("inf"), -1e308],
    pa.float16(): [0.0, 1.0],
    pa.int8(): [0, 1, -1, 127],
    pa.int64(): [0, 1, 2**63 - 1],
    pa.uint64(): [0, 1, 2**64 - 1],
    pa.bool_(): [False, True],
    pa.string(): ["", "1", "x"],
    pa.binary(): [b"", b"\xff"],
    pa.null(): [None],
    pa.date32(): [0],
    pa.timestamp("ns", "UTC"): [0],
    pa.duration("us"): [0],
    pa.decimal128(38, 2): [1],
    pa.list_(pa.float64()): [[1.0], []],
    pa.struct([("a", pa.int8())]): [{"a": 1}],
    pa.dictionary(pa.int8(), pa.float64()): [0.0, 1.0],
    pa.map_(pa.string(), pa.int8()): [[("a", 1)]],
}
NAMES = st.sampled_from(["x0", "x1", "y", "kind", "", "x0.a", "1", "\x00"]) | st.text(max_size=3)
METADATA = st.none() | st.dictionaries(
    st.sampled_from(["pandas", "ARROW:schema", "a"]),
    st.sampled_from(
        ['{"index_columns": ["x0"]}', '{"index_columns": [{}]}', '{"index_columns": 3}', "[]", "{", "\x00"]
    ),
    max_size=2,
)


@st.composite
def any_parquet(draw, usual=()):
    """Draw a Parquet file: often with the usual names, mostly of numbers, sometimes with anything."""
    names = [*usual] if draw(st.booleans()) else draw(st.lists(NAMES, max_size=4))
    n_rows = draw(st.integers(0, 4))
    numbers = st.sampled_from(list(COLUMNS)[:6])
    kinds = [draw(numbers if draw(st.booleans()) else st.sampled_from(list(COLUMNS))) for _ in names]
    columns = [
        pa.array(
            [
                draw(
                    st.none() | st.sampled_from(COLUMNS[kind])
                    if draw(st.booleans())
                    else st.sampled_from(COLUMNS[kind])
                )
                for _ in range(n_rows)
            ],
            kind,
        )
        for kind in kinds
    ]
    encoded = [name.encode("utf-8", "replace").decode() for name in names]
    schema = pa.schema([*zip(encoded, kinds, strict=True)], metadata=draw(METADATA))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=schema), sink)
    return sink.getvalue().to_pybytes()


def recipe_files(folder):
    recipe = yaml.safe_load((RECIPES / "contextual-d10.yaml").read_text("utf-8"))
    return any_yaml(recipe), folder / "r.yaml", lambda: load_recipe(folder / "r.yaml")


def suite_files(folder):
    suite = {
        "name": "s",
        "tables": [
            {"recipe": "table2-d4-5", "rows": 50},
            {"dataset": "bundled:wine", "inject": {"ratio": 0.1}},
        ],
        "detectors": ["dte", {"name": "dte", "params": {"epochs": 3}, "label": "d"}],
        "explainers": ["random", {"name": "lime", "grid": {"n": [1, 2]}}],
        "exclude": [{"table": "w*", "detector": ["d"]}],
        "timeout": 3.5,
        "memory_limit": "2 GiB",
        "seeds": [0, 1],
    }
    return any_yaml(suite), folder / "s.yaml", lambda: load_suite(str(folder / "s.yaml"))


def release_files(folder):
    release = load_release("mini").model_dump(mode="json", exclude_none=True)
    return any_yaml(release), folder / "r.yaml", lambda: load_release(folder / "r.yaml")


def table_folder(folder):
    mask = np.array([[False, False], [True, False], [False, False]])
    table = LabelledTable(
        X=np.eye(3, 2) + mask, y=[0, 1, 0], mask=mask, clean=np.eye(3, 2), provenance={"a": [1]}
    )
    return write_table(table, folder / "t")


def table_headers(folder):
    t = table_folder(folder)
    return any_json(json.loads((t / "table.json").read_text())), t / "table.json", lambda: read_table(t)


def table_rows(folder, name="samples", columns=("x0", "x1", "y", "kind")):
    t = table_folder(folder)
    path = t / f"{name}.parquet"
    return any_parquet(columns) | any_text(path.read_bytes()), path, lambda: read_table(t)


def own_parquet(folder):
    pd.DataFrame({"a": [0.5, 1.5], "b": [True, False]}, index=["r", "s"]).to_parquet(folder / "a.parquet")
    files = any_parquet(("a", "b")) | any_text((folder / "a.parquet").read_bytes())
    return files, folder / "a.parquet", lambda: read_tabular(folder / "a.parquet", label="b")


def own_csv(folder):
    text = st.text(alphabet="a1,.\n\r\"'- \ufeff\x00eé", max_size=30).map(
        lambda text: f"a,b\n{text}".encode()
    )
    files = text | any_text(b'a,b\n1,0\n-2.5e3,1\n"3",True\n')
    return files, folder / "a.csv", lambda: read_tabular(folder / "a.csv", label="b")


def manifests(release):
    path = release / "manifest.json"
    return any_json(json.loads(path.read_text())), path, lambda: verify(path.parent)


def detectors(folder, name="detector.json"):
    X = np.random.default_rng(0).standard_normal((8, 2))
    path = DTENonParametric().fit(X).save(folder / "d") / name
    content = path.read_bytes()
    files = any_json(json.loads(content)) if name.endswith(".json") else any_text(content)
    return files, path, lambda: load(folder / "d")


def attributions(folder, ending):
    """Files of attributions for the rows of a suite's only task."""
    (folder / "r.yaml").write_text(
        "{name: r, rows: 30, anomaly_ratio: 0.2, graph: {nodes: 2, edges: 1}, anomalies: [global]}"
    )
    suite = {"name": "s", "tables": [{"recipe": str(folder / "r.yaml")}], "explainers": ["random"]}
    (task,) = tasks(Suite.model_validate(suite | {"detectors": ["iforest"]}))
    fitted = fit(task.job.source, task.job.detector)
    ids = task.ids()[task.requested(fitted)]
    frame = pd.DataFrame(np.column_stack([ids, ids / 2, ids * 3]), columns=task.columns)
    path = folder / f"a.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False)
        files = any_text(path.read_bytes())
    else:
        frame.to_parquet(path, index=False)
        files = any_parquet(task.columns) | any_text(path.read_bytes())
    return files, path, lambda: _attributions(task, fitted, _read(task, path))


TARGETS = {
    "recipe": recipe_files,
    "suite": suite_files,
    "release": release_files,
    "table.json": table_headers,
    "samples": table_rows,
    "mask": partial(table_rows, name="mask", columns=("x0", "x1")),
    "parquet": own_parquet,
    "csv": own_csv,
    "detector": detectors,
    "attributions.csv": partial(attributions, ending="csv"),
    "attributions.parquet": partial(attributions, ending="parquet"),
    "arrays": partial(detectors, name="arrays.safetensors"),
}


def fuzz(files, path, read, n_examples):
    """Put each of `files` at `path`, and read it."""

    def check(content):
        path.write_bytes(content)
        try:
            read()
        except InputError as error:
            complaints.append(str(error))

    complaints = []
    chosen = settings(
        max_examples=n_examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    chosen(given(files)(check))()
    assert len(complaints) > n_examples / 3
    assert [text for text in complaints if not text.isprintable()] == []


n_examples = pytest.mark.parametrize("n_examples", [80, pytest.param(1000, marks=pytest.mark.slow)])


@n_examples
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_reader_raises_nothing_but_input_errors(tmp_path, target, n_examples):
    fuzz(*target(tmp_path), n_examples)


@n_examples
def test_verify_raises_nothing_but_input_errors(release, n_examples):
    fuzz(*manifests(release), n_examples)
