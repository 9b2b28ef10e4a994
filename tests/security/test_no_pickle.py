"""Nothing unpickles. Ruff holds S301 (pickle, dill, shelve, jsonpickle, pandas.read_pickle), S302 (marshal),
S102 and S307 (exec, eval), S202 (extracting archives) and S506 (unsafe YAML loaders); the rest is held here.
"""

import ast
import pickle
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import xadbench
from xadbench.datasets import InputError
from xadbench.datasets.sources import adbench
from xadbench.datasets.tabular import read_tabular

PACKAGE = Path(xadbench.__file__).parent
PARTS = ("datasets", "dsil", "evaluation", "generator")
UNPICKLING = {
    *(
        "joblib.load",
        "torch.load",
        "torch.jit.load",
        "torch.hub.load",
        "cloudpickle.load",
        "cloudpickle.loads",
    ),
    *("numpy.lib.format.read_array", "pandas.read_hdf", "shutil.unpack_archive", "yaml.unsafe_load"),
    *("yaml.full_load", "pyarrow.deserialize"),
}
UNBOUNDED = {
    *("json.load", "json.loads", "yaml.load", "yaml.safe_load", "pandas.read_csv", "pandas.read_parquet"),
    *(
        "pyarrow.parquet.read_table",
        "pyarrow.parquet.ParquetFile",
        "pandas.read_json",
        "safetensors.numpy.load_file",
    ),
}
READERS = {
    "datasets/common/json_files.py": "the one reader of JSON",
    "datasets/common/parquet.py": "the one reader of Parquet",
    "datasets/common/specs.py": "the one reader of YAML",
    "evaluation/cli/run.py": "the board that pandas has just written",
    "evaluation/runs/timings.py": "a file of the package's own",
    "datasets/table.py": "what it has just written itself",
    "datasets/tabular.py": "behind its checks",
    "dsil/serialization.py": "safetensors, as long as their file",
    "generator/releases/croissant.py": "a header that the build has just written itself",
}
UNSAFE = re.compile(r"noqa:.*\bS(102|202|301|302|307|506)\b")


def sources():
    return [path for part in PARTS for path in (PACKAGE / part).rglob("*.py")]


def imported(tree):
    """Return what each imported name stands for, such as np -> numpy."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {
                (a.asname or a.name.partition(".")[0]): a.name if a.asname else a.name.partition(".")[0]
                for a in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def calls(text):
    """Yield each call with the full name of what is called."""
    tree = ast.parse(text)
    names = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, dot, rest = ast.unparse(node.func).partition(".")
            yield f"{names.get(first, first)}{dot}{rest}", node


def unpickling(text):
    for name, call in calls(text):
        safe = any(
            word.arg == "allow_pickle" and ast.unparse(word.value) == "False" for word in call.keywords
        )
        if name in UNPICKLING or (name == "numpy.load" and not safe):
            yield name


@pytest.mark.parametrize(
    "text",
    [
        "import joblib as j\nj.load(x)",
        "from joblib import load\nload(x)",
        "import torch\ntorch.load(x, weights_only=True)",
        "import numpy as np\nnp.load(x)",
        "import numpy as np\nnp.load(x, allow_pickle=True)",
        "import numpy\nnumpy.lib.format.read_array(x)",
        "import yaml\nyaml.unsafe_load(x)",
    ],
)
def test_the_scan_sees_what_unpickles(text):
    assert list(unpickling(text))


def test_no_module_unpickles():
    files = sources()
    assert len(files) > 100
    assert {file.name: found for file in files if (found := list(unpickling(file.read_text("utf-8"))))} == {}


def test_files_are_read_by_the_readers_that_know_the_limits():
    """Use `json_files.read_json`, `specs.read_spec`, `parquet.read_frame` or `tabular.read_tabular`."""
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in sources()
        for name, _ in calls(file.read_text("utf-8"))
        if name in UNBOUNDED
    }
    assert found == READERS.keys()


def test_the_rules_that_ruff_holds_are_waived_for_three_reasons_alone():
    """The third: what a run and its own workers say to each other by pipes that nobody else holds."""
    waived = {
        file.name: line
        for file in sources()
        for line in file.read_text("utf-8").splitlines()
        if UNSAFE.search(line)
    }
    assert waived.keys() == {"specs.py", "user_code.py", "process_pool.py", "worker.py"}
    assert "Loader=_UniqueKeyLoader" in waived["specs.py"]
    assert "the user names it to be run" in waived["user_code.py"]
    assert "pickle.load(_there(self._process.stdout))" in waived["process_pool.py"]
    assert "pickle.load(requests)" in waived["worker.py"]


class Trap:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def trap(tmp_path):
    path = tmp_path / "sprung"
    pickle.loads(pickle.dumps(Trap(path)))  # noqa: S301  # it does spring
    assert path.exists()
    path.unlink()
    return Trap(path)


def test_an_array_of_objects_in_a_file_of_adbench_is_not_unpickled(trap, tmp_path, monkeypatch):
    np.savez(tmp_path / "99_tiny.npz", X=np.array([[trap]], dtype=object), y=np.zeros(1))
    content = (tmp_path / "99_tiny.npz").read_bytes()
    entry = adbench.AdbenchFile("Classical", "99_tiny.npz", "tiny", adbench._git_blob_sha1(content), "", None)
    monkeypatch.setattr(adbench, "adbench_registry", lambda: {entry.full_name: entry})
    with pytest.raises(ValueError, match="allow_pickle=False"):
        adbench.load_adbench("tiny", tmp_path)
    assert not trap.path.exists()


def test_a_pickle_in_a_parquet_file_stays_bytes(trap, tmp_path):
    """Arrow before 14.0.1 unpickled what this metadata asks it to."""
    pickled = pickle.dumps(trap)
    asks = {"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": pickled}
    schema = pa.schema([pa.field("a", pa.binary(), metadata=asks)])
    pq.write_table(pa.table([pa.array([pickled])], schema=schema), tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"column 'a' holds .* values; expected numbers"):
        read_tabular(tmp_path / "t.parquet")
    assert not trap.path.exists()
