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
print(content_hash(generate(load_recipe("table2-d50-5"), seed=1)))
print(content_hash(inject(load_bundled("wine"), ratio=0.2)))
"""


def hashes(**environment):
    done = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", CODE], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_neither_hash_seed_nor_threads_change_the_content():
    one = hashes(PYTHONHASHSEED="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    two = hashes(PYTHONHASHSEED="2", OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    assert one == two


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("table2-d10-5", "5751a544587cba00e9ce928626661d2f85af6d126eaee3380a4481d068b6cce3"),
        ("table2-d50-5", "55280fc2bfdd724414cc52cb00f8ef12079d45511ecc146c7476f253eaf90fba"),
    ],
)
def test_the_content_is_what_it_was_when_the_recipe_was_written(name, expected):
    assert content_hash(generate(load_recipe(name))) == expected
