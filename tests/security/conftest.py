import hashlib
import json

import pytest
import yaml

from xadbench.datasets import write_table
from xadbench.generator import generate
from xadbench.generator.recipe import Recipe

RECIPE = {
    "name": "tiny",
    "rows": 20,
    "anomaly_ratio": 0.2,
    "graph": {"nodes": 3, "edges": 2},
    "anomalies": ["global"],
}
TABLE = "tiny/seed-0"


def write_release(folder):
    """Write a release of one table, its recipe and its manifest alone."""
    recipe = Recipe.model_validate(RECIPE)
    table = generate(recipe, seed=0)
    write_table(table, folder / TABLE)
    (folder / "tiny" / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    header = json.loads((folder / TABLE / "table.json").read_text())
    record = {"content_hash": header["content_hash"], "seed": 0, "rows": 20, "features": 3, "anomalies": 4}
    write_manifest(folder, {"format": 1, "name": "r", "version": "1.0.0", "licence": "CC-BY-4.0"}, record)
    return folder


def write_manifest(folder, about, record):
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
    values = about | {"made_with": {}, "tables": {TABLE: record}, "files": files}
    (folder / "manifest.json").write_text(json.dumps(values))


@pytest.fixture
def release(tmp_path):
    """The folder of a release of one table, TABLE."""
    return write_release(tmp_path / "release")
