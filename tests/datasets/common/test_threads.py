import subprocess
import sys
import threading

import pytest
import torch
from threadpoolctl import threadpool_info

from xadbench.datasets.common.threads import one_thread


def numbers():
    return [library["num_threads"] for library in threadpool_info()], torch.get_num_threads()


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield numbers()
    torch.set_num_threads(before)


def test_one_thread_inside_and_those_before_afterwards(two_threads):
    with one_thread():
        assert numbers() == ([1] * len(two_threads[0]), 1)
    assert numbers() == two_threads


def test_an_error_and_an_inner_scope_leave_the_numbers_as_they_were(two_threads):
    with one_thread():
        with pytest.raises(KeyboardInterrupt), one_thread():
            raise KeyboardInterrupt
        assert torch.get_num_threads() == 1
    assert numbers() == two_threads


def test_scopes_of_two_threads_that_overlap(two_threads):
    inside, left = threading.Event(), threading.Event()
    seen = []

    def second():
        with one_thread():
            inside.set()
            left.wait(10)
            seen.append(torch.get_num_threads())

    thread = threading.Thread(target=second)
    with one_thread():
        thread.start()
        assert inside.wait(10)
    left.set()
    thread.join()
    assert seen == [1]
    assert numbers() == two_threads


IMPORTED_INSIDE = """
from xadbench.datasets.common.threads import one_thread
with one_thread():
    import torch
    with one_thread():
        print(torch.get_num_threads())
print(torch.get_num_threads())
"""


def test_torch_may_be_imported_inside(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)  # a Dask worker of another test leaves it at 1
    told = subprocess.run([sys.executable, "-c", IMPORTED_INSIDE], check=True, capture_output=True)  # noqa: S603  # ours
    assert told.stdout.split() == [b"1", b"2"]
