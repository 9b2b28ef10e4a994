"""A folder, a pipe or a link where a run has a file: one line, no traceback, and nothing waits."""

import os
import sys
from contextlib import suppress
from functools import partial

import pytest

from xadbench.datasets import InputError
from xadbench.datasets.common.limits import read_limited
from xadbench.datasets.common.parquet import read_frame
from xadbench.datasets.tabular import read_tabular
from xadbench.evaluation import run_suite
from xadbench.evaluation.results import store
from xadbench.evaluation.results.run_results import read_results
from xadbench.evaluation.results.stored_runs import read_run
from xadbench.evaluation.runs.timings import in_hours

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no such pipes and devices")
FILES = ("run.json", "results.parquet", "requested.parquet", "trials/*.json", "made/*.json", "tables/*.json")


def linked(path):
    outside = path.resolve().parents[2] / "outside-of-odd-files"
    outside.write_bytes(path.read_bytes() if path.exists() else b"{}")
    path.unlink()
    path.symlink_to(outside)


def replaced_by(make):
    def replace(path):
        path.unlink()
        make(path)

    return replace


ODD = {
    "folder": replaced_by(os.mkdir),
    "pipe": replaced_by(os.mkfifo if hasattr(os, "mkfifo") else os.mkdir),
    "link out": linked,
    "dangling link": replaced_by(lambda path: path.symlink_to("gone")),
    "link to itself": replaced_by(lambda path: path.symlink_to(path.name)),
    "device": replaced_by(lambda path: path.symlink_to("/dev/zero")),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("file", FILES)
def test_what_is_no_file_of_a_run_is_bad_input_or_left_out(small_suite, tmp_path, put_run, file, odd):
    run = tmp_path / "run"
    put_run(run)
    ODD[odd](min(run.glob(file)))
    for use in (read_results, lambda run: read_run(str(run)), partial(run_suite, small_suite)):
        with suppress(InputError):
            use(run)


@pytest.mark.parametrize(
    "read", [read_tabular, lambda path: read_frame(path, "rows"), lambda path: read_limited(path, 9)]
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_nothing_is_read_from_a_device_or_a_pipe(tmp_path, read, suffix):
    (tmp_path / f"zero{suffix}").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / f"pipe{suffix}")
    for name in ("zero", "pipe"):
        with pytest.raises(InputError, match="a folder, a pipe or a device; expected a file"):
            read(tmp_path / f"{name}{suffix}")


def test_records_behind_a_link_out_of_the_run_are_not_read(tmp_path, put_run):
    (key, *_) = (record.key for record in put_run(tmp_path / "run"))
    assert store.read_trial(tmp_path / "run", key) is not None
    (tmp_path / "run" / "trials").rename(tmp_path / "outside-of-odd-files")
    (tmp_path / "run" / "trials").symlink_to(tmp_path / "outside-of-odd-files")
    assert store.read_trial(tmp_path / "run", key) is None


@pytest.mark.parametrize(("limit", "value"), [("timeout", 1e12), ("memory_limit", 2**70)])
def test_a_limit_beyond_what_a_system_takes_is_refused(small_suite, tmp_path, xadbench, limit, value):
    (tmp_path / "s.yaml").write_text(
        f'{small_suite.model_dump_json(exclude={limit, "include", "save"})[:-1]}, "{limit}": {value}}}'
    )
    code, _, err = xadbench("run", "s.yaml")
    assert code == 2
    assert f"{limit}: expected a number of at most" in err


def test_a_duration_of_any_size_is_shown():
    assert in_hours(1e300).endswith("days, 1:46:40")
