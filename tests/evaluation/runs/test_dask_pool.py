import os
import signal
import subprocess
import sys
import time
from threading import Event, Thread

import pytest
from distributed import Client

from xadbench.datasets import InputError
from xadbench.evaluation import run_suite
from xadbench.evaluation.runs import dask_pool, runner
from xadbench.evaluation.runs.dask_pool import dask_pool as opened


def test_a_scheduler_that_does_not_answer_is_named(small_suite, monkeypatch, tmp_path):
    monkeypatch.setattr(dask_pool, "CONNECT_SECONDS", 0.1)
    with pytest.raises(InputError, match=r"scheduler 'tcp://127\.0\.0\.1:9' does not answer: Timed out"):
        run_suite(small_suite, tmp_path, executor="dask", scheduler="tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="scheduler 'nonsense' does not answer: missing port number"):
        run_suite(small_suite, tmp_path, executor="dask", scheduler="nonsense")


def test_dask_that_is_not_installed_is_asked_for_before_any_work(small_suite, monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'xadbench\[dask\]'"):
        run_suite(small_suite, tmp_path / "run", executor="dask")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"executor": "slurm"}, "unknown executor 'slurm'.*; known: dask, processes"),
        (
            {"scheduler": "tcp://a:1"},
            "scheduler 'tcp://a:1' is one of Dask; expected executor dask, not processes",
        ),
    ],
)
def test_a_wrong_place_to_run_is_refused(small_suite, tmp_path, where, message):
    with pytest.raises(InputError, match=message):
        run_suite(small_suite, tmp_path, **where)


def test_an_interrupt_waits_until_a_cluster_is_up():
    is_up, handler = [], signal.getsignal(signal.SIGINT)
    over = Event()
    other = Thread(target=over.wait)  # which the system may hand the signal to
    other.start()

    def start():
        with dask_pool._interrupted_later():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.1)
            is_up.append(True)
        time.sleep(5)

    try:
        with pytest.raises(KeyboardInterrupt):
            start()
    finally:
        over.set()
    assert is_up
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.getsignal(signal.SIGINT) is handler


# In a new process, as a command has it: multiprocessing's tracker does not run yet.
INSIDE = """\
import os, signal
from multiprocessing import resource_tracker
from xadbench.evaluation.runs.dask_pool import _interrupted_later
heard, bell = os.pipe()
os.set_blocking(bell, False)
signal.set_wakeup_fd(bell)
try:
    with _interrupted_later():
        resource_tracker.ensure_running()  # as Dask does for its workers
        print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
        os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print(len(os.read(heard, 9)))
"""


def test_what_a_cluster_starts_hears_no_interrupt_and_the_command_one():
    command = [sys.executable, "-c", INSIDE]
    finished = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own code
    assert finished == "True\n1\n"


class ThreadedCluster(Client):
    """Answers at any address, with a worker of two threads."""

    def __init__(self, *args, **kwargs):
        pass

    def __exit__(self, *error):
        pass

    __enter__ = __del__ = close = lambda self: self

    def nthreads(self):
        return {"tcp://a:1": 1, "tcp://a:2": 2}


def test_workers_of_several_threads_are_refused(monkeypatch):
    monkeypatch.setattr(dask_pool, "Client", ThreadedCluster)
    with (
        pytest.raises(InputError, match="a:2 has 2 threads; start workers with --nthreads 1"),
        opened(1, "a"),
    ):
        pass
