"""What is too large, too deep or too much is refused in one line, before it is used."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xadbench.datasets import InputError, LabelledTable, read_table, write_table
from xadbench.datasets.common import limits
from xadbench.datasets.common.json_files import parse_json, read_json
from xadbench.datasets.tabular import read_tabular
from xadbench.dsil import load
from xadbench.evaluation.results import store
from xadbench.evaluation.suite.spec import load_suite
from xadbench.generator import load_recipe
from xadbench.generator.releases.manifest import read_manifest
from xadbench.generator.releases.spec import load_release
from xadbench.generator.releases.verify import verify

DEEP = 100_000
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
READERS = {"recipe": load_recipe, "suite": load_suite, "release": load_release}


def yaml_file(folder, text):
    (folder / "s.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    return str(folder / "s.yaml")


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LAUGHS, r"more than 2000000 values, the limit of such files \(aliases count\)"),
        ("a: &a [*a]", "nested more than 100 deep"),
        ("a: " + "[" * 101 + "]" * 101, "nested more than 100 deep"),
        ("a: " + "[" * DEEP, "nested more than 100 deep"),
        ("#" * 2**20 + "\n", "more than 1048576 bytes, the limit"),
        ("a: 0x1" + "0" * 100, "an integer of more than 256 bits"),
        ("a: " + "9" * 5000, "not valid YAML: an integer of 5000 characters"),
        (r'a: "\ud800"', r"text that is not Unicode: '\\ud800'"),
        (r'a: "\UFFFFFFFF"', "not valid YAML"),
        ("a: !!bool maybe", "not valid YAML"),
        ("a: !!int ''", "not valid YAML"),
        ("a: !!timestamp x", "not valid YAML"),
        ("a: 2026-13-01", "not valid YAML"),
        ("? [a]\n: b", "not valid YAML"),
        (b"a: \xff", "cannot be read: .*decode"),
        (b"a: \x00", "not valid YAML"),
    ],
)
def test_a_bomb_or_broken_value_in_yaml_is_refused(tmp_path, read, text, message):
    with pytest.raises(InputError, match=rf"s\.yaml: .*{message}") as error:
        read(yaml_file(tmp_path, text))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rows: 100", "rows: 100000000000", "rows: expected a number of at most 10000000000"),
        ("nodes: 3", "nodes: 10001", r"graph\.nodes: expected a number of at most 10000"),
    ],
)
def test_a_recipe_for_more_than_any_machine_holds_is_refused(tmp_path, old, new, message):
    text = "name: a\nrows: 100\nanomaly_ratio: 0.1\ngraph: {nodes: 3, edges: 2}\nanomalies: [global]\n"
    load_recipe(yaml_file(tmp_path, text))
    with pytest.raises(InputError, match=message):
        load_recipe(yaml_file(tmp_path, text.replace(old, new)))


@pytest.mark.parametrize("part", ["detectors", "explainers"])
def test_a_short_suite_of_a_thousand_million_components_is_refused(tmp_path, part):
    grid = {name: list(range(1000)) for name in "abc"}
    suite = {"name": "s", "tables": [{"recipe": "a"}], "detectors": ["a"], "explainers": ["a"]}
    text = json.dumps(suite | {part: [{"name": "a", "grid": grid}]})
    with pytest.raises(InputError, match=rf"{part}: 1000000000 components .*, more than 10000, the limit"):
        load_suite(yaml_file(tmp_path, text))


def test_a_time_out_without_end_is_refused(tmp_path):
    text = "name: s\ntables: [{recipe: a}]\ndetectors: [a]\nexplainers: [a]\ntimeout: .inf\n"
    with pytest.raises(InputError, match=r"timeout: .*finite"):
        load_suite(yaml_file(tmp_path, text))


JSON = [
    ("[" * DEEP, "nested more than 100 deep"),
    ('{"a":' * 101 + "1" + "}" * 101, "nested more than 100 deep"),
    ('{"a": 1, "a": 2}', "key 'a' given twice"),
    ('{"a": ' + "9" * 5000 + "}", "not valid JSON: .*integer string conversion"),
    ('{"a": ' + "9" * 100 + "}", "an integer of more than 256 bits"),
    (r'{"\ud800": 1}', "text that is not Unicode"),
    ('{"a": [' + "0," * 2_000_000 + "0]}", "more than 2000000 values"),
    ("{", "not valid JSON"),
]


@pytest.mark.parametrize(("text", "message"), JSON, ids=[message for _, message in JSON])
def test_a_bomb_or_broken_value_in_json_is_refused(text, message):
    with pytest.raises(InputError, match=f"^here: .*{message}"):
        parse_json(text, "here")


@pytest.mark.parametrize("content", [b"\xff{}", b"[]", b"null", b""])
def test_a_file_that_is_no_json_object_is_refused(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json: not a thing: "):
        read_json(tmp_path / "a.json", "a thing")


def table_folder(folder):
    return write_table(LabelledTable(X=np.eye(3), y=[0, 0, 1]), folder / "t") / "table.json"


JSON_READERS = {
    "table": (read_table, "table.json"),
    "manifest": (read_manifest, "manifest.json"),
    "verify": (verify, "manifest.json"),
    "detector": (load, "detector.json"),
}


@pytest.mark.parametrize(("read", "name"), JSON_READERS.values(), ids=JSON_READERS)
def test_every_json_file_has_a_limit(tmp_path, read, name, monkeypatch):
    monkeypatch.setattr("xadbench.datasets.common.json_files.JSON_BYTES", 1000)
    for text, message in (
        (" " * 1001, "more than 1000 bytes, the limit"),
        ("[" * 900, "not valid JSON|nested"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=rf"{name}: .*({message})"):
            read(tmp_path)


def test_a_record_beyond_the_limits_is_none(tmp_path, monkeypatch):
    store.write_json(tmp_path / "trials" / "k.json", {"key": "k", "note": "x" * 2000})
    assert store.read_json(tmp_path / "trials" / "k.json") is not None
    monkeypatch.setattr("xadbench.datasets.common.json_files.JSON_BYTES", 1000)
    assert store.read_json(tmp_path / "trials" / "k.json") is None


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400"])
def test_a_header_with_a_number_that_is_none_is_refused(tmp_path, value):
    file = table_folder(tmp_path)
    file.write_text(file.read_text().replace('"provenance": {}', f'"provenance": {{"a": {value}}}'))
    with pytest.raises(InputError, match="provenance is not of JSON values"):
        read_table(tmp_path / "t")


def varint(number):
    """Return a number as Thrift's compact protocol has it."""
    low, rest = number % 128, number // 128
    return bytes([low]) if not rest else bytes([low | 128]) + varint(rest)


def declare(path, n_rows, first=0):
    """Let a Parquet file of 1,000 rows declare others, from the `first` mention on: 0 is that of the file."""
    content = path.read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    old, new = (b"\x16" + varint(2 * n) for n in (1000, n_rows))
    parts = content[start:-8].split(old)
    footer = old.join(parts[: first + 1]) + new + new.join(parts[first + 1 :])
    path.write_bytes(content[:start] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    assert path.stat().st_size < 20_000


@pytest.mark.parametrize("first", [0, 1], ids=["by the file", "by its row groups alone"])
def test_a_small_file_that_declares_a_thousand_million_rows_is_not_read(tmp_path, monkeypatch, first):
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_, **__: pytest.fail("read"))
    write_table(LabelledTable(X=np.zeros((1000, 1)), y=np.zeros(1000)), tmp_path / "t")
    pd.DataFrame({"a": np.zeros(1000)}).to_parquet(tmp_path / "a.parquet")
    declare(tmp_path / "t" / "samples.parquet", 10**9, first)
    declare(tmp_path / "a.parquet", 10**9, first)
    for read, name in ((read_table, "t"), (read_tabular, "a.parquet")):
        with pytest.raises(InputError, match=r"1000000000 rows of . columns, more than 500000000 cells"):
            read(tmp_path / name)


def test_results_that_declare_a_thousand_million_rows_are_not_read(tmp_path, monkeypatch):
    pd.DataFrame({"a": ["b"] * 1000}).to_parquet(tmp_path / "results.parquet")
    with pytest.raises(InputError, match="no column"):
        store.load(tmp_path)
    declare(tmp_path / "results.parquet", 10**9)
    with pytest.raises(InputError, match=r"results\.parquet: .* more than 500000000 cells"):
        store.load(tmp_path)


def test_verify_neither_reads_nor_makes_a_table_beyond_the_limit(release, monkeypatch):
    monkeypatch.setattr("xadbench.generator.releases.verify.make", lambda *_: pytest.fail("made"))
    recipe = release / "tiny" / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("rows: 20", "rows: 1000000000"))
    assert any("recipe.yaml: 1000000000 rows of 3 columns" in str(found) for found in verify(release))


def test_a_header_that_names_a_feature_many_times_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pq, "ParquetFile", lambda *_, **__: pytest.fail("opened"))
    file = table_folder(tmp_path)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"feature_names": ["x0"] * 1000}))
    with pytest.raises(InputError, match="1 distinct names, expected 1000"):
        read_table(tmp_path / "t")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[0] * 5]),
        pa.array(["x"]),
        pa.array([b"x"]),
        pa.array([{"a": 1}]),
        pa.array([None]),
        pa.array(["x"]).dictionary_encode(),
    ],
)
def test_columns_that_may_hide_a_lot_are_refused_before_they_are_read(tmp_path, column, monkeypatch):
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_, **__: pytest.fail("read"))
    pq.write_table(pa.table({"a": column}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"column 'a' holds .* values; expected numbers"):
        read_tabular(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a," * 100_000 + "b\n1\n", "100001 columns, more than 100000, the limit"),
        ('"\n",' + "a," * 100_000 + "b\n1\n", "100002 columns, more than 100000"),
        ("a,b\n" + "1,2\n" * 8, "9 rows of 2 columns, more than 10 cells, the limit"),
        (
            "a\n" + "1.00000000000000000000000000000000\n" * 5,
            "bytes, more than 160, the limit; .*XADBENCH_MAX_CELLS",
        ),
    ],
)
def test_a_csv_that_is_too_long_or_wide_is_refused(tmp_path, text, message, monkeypatch):
    monkeypatch.setattr(pd, "read_csv", lambda *_, **__: pytest.fail("read"))
    if len(text) < 1000:
        monkeypatch.setenv(limits.CELLS_VARIABLE, "10")
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=rf"a\.csv: .*{message}"):
        read_tabular(tmp_path / "a.csv")


def test_a_table_of_too_many_cells_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv(limits.CELLS_VARIABLE, "14")
    monkeypatch.setattr(pq.ParquetFile, "read", lambda *_, **__: pytest.fail("read"))
    table_folder(tmp_path)
    with pytest.raises(
        InputError,
        match=r"samples\.parquet: 3 rows of 5 columns, more than 14 cells, .* set XADBENCH_MAX_CELLS",
    ):
        read_table(tmp_path / "t")


def test_the_limit_of_cells_can_be_raised(tmp_path, monkeypatch):
    table_folder(tmp_path)
    monkeypatch.setenv(limits.CELLS_VARIABLE, "15")
    assert read_table(tmp_path / "t").n_rows == 3
    monkeypatch.setenv(limits.CELLS_VARIABLE, "many")
    with pytest.raises(InputError, match="XADBENCH_MAX_CELLS is 'many', expected a whole number"):
        read_table(tmp_path / "t")
