"""The content of generated tables depends on nothing but recipe and seed."""

import os
import subprocess
import sys

import pytest

from xadbench.datasets import content_hash
from xadbench.generator import generate, load_recipe

CODE = """
from xadbench.datasets import content_hash, load_bundled
from xadbench.generator import generate, inject, load_recipe
hashes = [
    content_hash(generate(load_recipe("table2-d50-5"), seed=1)),
    content_hash(inject(load_bundled("wine"), ratio=0.2)),
]
"""


def test_neither_hash_seed_nor_threads_change_the_content():
    here = {}
    exec(CODE, here)  # noqa: S102  # our own code, with this process's seed and threads
    threads = "2" if os.environ.get("OMP_NUM_THREADS") == "1" else "1"
    other = {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    command = [sys.executable, "-c", f"{CODE}\nprint(*hashes)"]
    done = subprocess.run(command, env=os.environ | other, capture_output=True, text=True, check=True)  # noqa: S603  # as above
    assert done.stdout.split() == here["hashes"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("table2-d10-5", "5751a544587cba00e9ce928626661d2f85af6d126eaee3380a4481d068b6cce3"),
        ("table2-d50-5", "55280fc2bfdd724414cc52cb00f8ef12079d45511ecc146c7476f253eaf90fba"),
    ],
)
def test_the_content_is_what_it_was_when_the_recipe_was_written(name, expected):
    assert content_hash(generate(load_recipe(name))) == expected
