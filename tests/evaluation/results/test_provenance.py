import pytest

from xadbench.datasets import InputError
from xadbench.evaluation.results import store
from xadbench.evaluation.results.provenance import RunDescription, read_description
from xadbench.evaluation.results.record import RECORD_VERSION


def test_a_description_is_read_as_it_was_written_and_frozen(tmp_path):
    assert read_description(tmp_path) is None
    written = RunDescription(suite={"name": "s"}, commit=None, blas=["openmp", None], sessions=[{"cpu": "a"}])
    store.write_json(tmp_path / "run.json", written.as_json())
    read = read_description(tmp_path)
    assert read == written
    assert set(read.as_json()) == {"version", "suite", "commit", "blas", "sessions"}
    with pytest.raises(ValueError, match="frozen"):
        read.suite = {}


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"cpus": "two"}, ["cpus", "whole number"]),
        ({"novelty": 1}, ["novelty", "known"]),
        ({"sessions": [{"ended": 5}]}, [r"sessions\.0\.ended", "text"]),
        ({"version": 1}, ["version"]),
    ],
)
def test_what_is_no_description_is_named_with_its_file_and_key(tmp_path, change, facts):
    store.write_json(tmp_path / "run.json", {"version": RECORD_VERSION, "suite": {}} | change)
    with pytest.raises(InputError, match=rf"run\.json: .*{'.*'.join(facts)}") as refusal:
        read_description(tmp_path)
    assert "\n" not in str(refusal.value)
