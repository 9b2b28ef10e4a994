"""Worker processes on this machine, each of which does one job at a time and may die of it."""

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import IO, Any, NamedTuple

from cloudpickle import dumps  # also sends what is defined in a script or a notebook

from xadbench.datasets.common.errors import BREAKS, InputError, one_line
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.explainers import EXPLAINERS
from xadbench.evaluation.suite.spec import Component

LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in LIBRARIES}
END_SECONDS = 1.0  # in which a worker that hangs up ends by itself, so that its exit code is its own
# With the modules that this process finds; its own script is not run again.
SERVE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); "
    "from xadbench.evaluation.runs.worker import serve; serve()"
)


class WorkerDied(Exception):
    """The process that did a job ended before the job did; the message says how."""


class Pool(NamedTuple):
    """Who does jobs.

    Attributes
    ----------
    executor
        When the pool's context ends, so does all that it does.
    deaths
        Errors of a future whose worker died.
    n_tries
        How often a job is done at which a worker died, before it is taken to be at fault.
    """

    executor: Executor
    deaths: tuple[type[Exception], ...] = (WorkerDied,)
    n_tries: int = 1


@contextmanager
def process_pool(workers: int) -> Iterator[Pool]:
    """Yield a pool of so many processes of this machine, which start at once."""
    executor = Workers(workers)
    try:
        yield Pool(executor)
    finally:
        executor.shutdown()


def check_objects(components: Iterable[Component]) -> None:
    """Raise `InputError` for a component made from a Python object that cannot be sent to a worker."""
    for one in components:
        try:
            dumps(one)
        except BREAKS:
            raise
        except BaseException as error:
            raise InputError(
                f"{one.label} cannot be sent to workers ({one_line(error)}); expected an object that can be "
                "pickled, or one worker without a time-out and a memory limit"
            ) from error


class Workers(Executor):
    """An executor of so many worker processes: a thread waits for each, and replaces one that dies."""

    def __init__(self, n_workers: int) -> None:
        self._first = dumps((dict(DETECTORS), dict(EXPLAINERS)))
        self._threads = ThreadPoolExecutor(n_workers)
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._all: set[_Worker] = set()
        self._is_open = True
        for _ in range(n_workers):
            self._idle.put(self._started())

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a worker call a function; the future raises `WorkerDied` if the worker dies of it."""
        return self._threads.submit(self._asked, dumps((fn, args, kwargs)))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:  # noqa: FBT001, FBT002  # Executor's
        """End all workers, and what they are at, and what they have started."""
        self._is_open = False
        for worker in tuple(self._all):
            worker.kill()
        self._threads.shutdown(wait, cancel_futures=cancel_futures)

    def _started(self) -> "_Worker":
        worker = _Worker(self._first)
        self._all.add(worker)
        if not self._is_open:  # it may have been closed meanwhile
            worker.kill()
        return worker

    def _asked(self, request: bytes) -> Any:
        worker = self._idle.get()
        if not worker.is_alive:  # it was killed while it had nothing to do
            worker = self._replaced(worker)
        try:
            is_returned, value = worker.ask(request)
        except WorkerDied:
            worker = self._replaced(worker) if self._is_open else worker
            raise
        finally:
            self._idle.put(worker)
        if not is_returned:
            raise value
        return value

    def _replaced(self, worker: "_Worker") -> "_Worker":
        worker.kill()
        self._all.discard(worker)
        return self._started()


class _Worker:
    """A worker process, seen from here."""

    def __init__(self, first: bytes) -> None:
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001  # as multiprocessing
        self._process = subprocess.Popen(  # noqa: S603  # our own code
            [sys.executable, *flags, "-c", SERVE, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a group, which can be killed with what it has started; and no Ctrl-C
            env=os.environ | ONE_THREAD,
        )
        with suppress(OSError):  # it has died already, as the first job will find
            self._send(first)

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: bytes) -> Any:
        """Return its answer; `WorkerDied` if there is none."""
        try:
            self._send(request)
            return pickle.load(_there(self._process.stdout))  # noqa: S301  # a worker's word is trusted
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(END_SECONDS)
            self.kill()
            raise WorkerDied(f"its worker process ended with {self._ending()}") from None

    def _send(self, message: bytes) -> None:
        pipe = _there(self._process.stdin)
        pipe.write(message)
        pipe.flush()

    def kill(self) -> None:
        """Kill it, and what it has started and not moved elsewhere."""
        with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of what has just ended
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what it did not read is lost
                _there(pipe).close()

    def _ending(self) -> str:
        code = self._process.returncode
        try:
            return f"{signal.Signals(-code).name}({code})"
        except ValueError:
            return f"EXIT({code})"


def _there(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101  # asked for above
    return pipe
