"""A supervisor kills the group of its own worker and no other."""

import os
import signal
import subprocess
import sys
import time

import pytest

from xadbench.evaluation.trial import supervisor

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")

WORKER = """
import os, signal, subprocess, sys
from xadbench.evaluation.trial import supervisor
supervisor.start()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("group", [1, 0, -1])
def test_the_groups_of_all_and_of_init_are_refused(group, monkeypatch):
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("killed"))
    with pytest.raises(ValueError, match=f"group {group}"):
        supervisor._kill(group)


def test_where_the_worker_is_dead_already_its_children_end_and_nobody_else_does():
    """What is left has another parent by then, which must not be taken for the worker."""
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        done = subprocess.run([sys.executable, "-c", WORKER], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  # our own script
        assert done.returncode == -signal.SIGKILL
        child = int(done.stdout)
        deadline = time.monotonic() + 30
        while _is_there(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _is_there(child)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def _is_there(pid):
    """Whether a process runs: one that nobody waits for may stay as a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123  # no path of a user
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
