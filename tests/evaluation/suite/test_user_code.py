"""Which suites name code that is not ours, and so run in worker processes."""

import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.runs.runner import run_suite
from xadbench.evaluation.suite.spec import Suite
from xadbench.evaluation.suite.user_code import names_user_code

OWN = {"name": "s", "tables": ({"recipe": "table2-d4-5"},), "detectors": ("knn",), "explainers": ("z_score",)}


@pytest.mark.parametrize(
    ("part", "is_users"),
    [
        ({}, False),
        ({"detectors": ("oracle",), "explainers": ("truth", "random")}, False),
        ({"detectors": ({"name": "dsil_fixed", "params": {"base": "lof"}},)}, False),
        ({"tables": ({"dataset": "bundled:wine"},)}, False),
        ({"explainers": ("mine.py:explain",)}, True),
        ({"explainers": ("a_plugin",)}, True),
        ({"detectors": ("package.module:Mine",)}, True),
        ({"detectors": ({"name": "dsil_fixed", "params": {"base": "mine.py:Mine"}},)}, True),
        ({"tables": ({"dataset": "mine.py:data"},)}, True),
    ],
)
def test_names_of_user_code_are_found(part, is_users):
    assert names_user_code(Suite(**OWN | part)) is is_users


@pytest.mark.parametrize(
    ("settings", "limits", "message"),
    [
        ({"workers": 2}, {}, "in-process runs have no workers"),
        ({"executor": "dask"}, {}, "in-process runs have no workers"),
        ({}, {"timeout": 5}, "a time-out"),
        ({}, {"memory_limit": "2 GiB"}, "a memory limit"),
    ],
)
def test_in_process_takes_neither_workers_nor_limits(tmp_path, settings, limits, message):
    with pytest.raises(InputError, match=message):
        run_suite(Suite(**OWN | limits), tmp_path / "run", in_process=True, **settings)
    assert not (tmp_path / "run").exists()
