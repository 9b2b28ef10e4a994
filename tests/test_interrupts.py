"""Ctrl-C while a command is at something that does not hear it."""

import os
import pty
import signal
import subprocess
import sys
import time

import pytest

SUITE = """\
name: slow
tables: [{recipe: table2-d4-5, rows: 200}]
detectors: [iforest]
explainers: [z_score, "slow.py:explain"]
"""
# An hour in C, where no interrupt is heard; not once the file `go` is there.
SLOW = """\
from hashlib import pbkdf2_hmac
from pathlib import Path
def explain(detector, background, X):
    if not Path("go").exists():
        Path("begun").touch()
        pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
    return X
"""
# Ctrl-C as Typer is imported.
EARLY = """\
import signal, sys
class Early:
    def find_spec(self, name, *others):
        if name == "typer":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Early())
from xadbench.__main__ import main
main()
"""


@pytest.fixture
def start(tmp_path):
    """A function that starts a run which is slow, and returns its process once it is."""
    (tmp_path / "slow.yaml").write_text(SUITE)
    (tmp_path / "slow.py").write_text(SLOW)
    begun = []

    def run(*command, options=(), **streams):
        command = [sys.executable, *command, "run", "slow.yaml", *options]
        process = subprocess.Popen(command, cwd=tmp_path, **streams)  # noqa: S603  # our own code
        begun.append(process)
        while not (tmp_path / "begun").exists():
            assert process.poll() is None
            time.sleep(0.05)
        return process

    yield run
    for process in begun:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("options", [[], ["--in-process"]])
def test_a_call_into_c_is_ended_and_the_run_resumes(start, tmp_path, options):
    module = ["-m", "xadbench.evaluation.cli.app"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = start(*module, options=options, **pipes)
    time.sleep(2)  # what a worker has done is told soon after
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    said = "xadbench: interrupted; what is finished is kept, and the same command goes on from there\n"
    assert err.endswith(said)
    assert err.count("xadbench: ") == 1
    assert err.count("z_score, seed 0: ok") == 1
    (tmp_path / "go").touch()
    process = start(*module, options=options, **pipes)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 0
    assert "xadbench: " not in err
    assert err.count("z_score, seed 0: ok, from an earlier run") == 1
    assert err.count("explain, seed 0: ok\n") == 1


def test_a_second_interrupt_ends_at_once_and_the_cursor_is_back(start, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    code = "from xadbench import __main__, interrupts as i; i.GRACE_SECONDS = 3600; __main__.main()"
    terminal, other_end = pty.openpty()
    with open(terminal, "rb", buffering=0) as screen:  # noqa: PTH123  # a descriptor
        process = start("-c", code, options=["--in-process"], stdout=other_end, stderr=other_end)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)  # one is not taken for two, nor two for one
        assert process.wait(timeout=20) == 130
        os.close(other_end)
        shown = b""
        try:
            while part := screen.read(4096):
                shown += part
        except OSError:  # all is read
            pass
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")
    assert shown.rstrip().endswith(b"the same command goes on from there")


def test_an_interrupt_of_the_imports_shows_no_traceback():
    command = [sys.executable, "-c", EARLY, "list", "suites"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)  # noqa: S603  # as above
    reported = "xadbench: interrupted; what is finished is kept, and the same command goes on from there\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", reported)
