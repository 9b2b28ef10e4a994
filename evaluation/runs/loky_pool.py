"""Where executors come from: loky's, on this machine."""

import gc
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Any

from loky import ProcessPoolExecutor
from loky.backend.reduction import dumps
from tqdm import tqdm  # by which shap and others tell their progress

from xadbench.datasets.common.errors import BREAKS, InputError, one_line
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.explainers import EXPLAINERS
from xadbench.evaluation.suite.spec import Component

from .preloading import import_early

IDLE_SECONDS = 10  # a worker without work ends by then: none outlives a killed parent for long
LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in LIBRARIES}


@dataclass(frozen=True)
class Pool:
    """Executors of so many workers, one after the other, and what tells of a worker's death.

    Attributes
    ----------
    new
        Makes an executor of a number of workers; when its context ends, so does all that it does.
    workers
        How many workers to ask for.
    deaths
        Errors of a future whose worker died. `BrokenExecutor` says so of every task of the executor, any
        other of the task alone that did it.
    """

    new: Callable[[int], AbstractContextManager[Executor]]
    workers: int
    deaths: tuple[type[Exception], ...] = (BrokenExecutor,)


@contextmanager
def loky_pool(workers: int) -> Iterator[Pool]:
    """Yield a pool of so many processes of this machine; those of the first executor start at once."""
    with ExitStack() as stack:
        early = [stack.enter_context(_loky(workers))]
        early[0].submit(int)  # loky starts its workers with the first task

        @contextmanager
        def new(workers: int) -> Iterator[Executor]:
            with stack:
                is_there = early and _is_whole(early[0])
                yield early.pop() if is_there else stack.enter_context(_loky(workers))

        yield Pool(new, workers)


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


def _is_whole(executor: Executor) -> bool:
    """Whether no worker of an executor was killed since it began."""
    try:
        executor.submit(int)
    except BrokenExecutor:
        return False
    return True


@contextmanager
def _loky(workers: int) -> Iterator[Executor]:
    executor = ProcessPoolExecutor(
        workers,
        timeout=IDLE_SECONDS,
        initializer=_prepare_early,
        initargs=(dict(DETECTORS), dict(EXPLAINERS)),
        env=ONE_THREAD,
    )
    try:
        yield executor
    finally:
        executor.shutdown(kill_workers=True)


def _prepare_early(detectors: dict[str, Any], explainers: dict[str, Any]) -> None:
    """Prepare a worker, and import what is slow to import while the parent makes the tables."""
    prepare_worker(detectors, explainers)
    import_early()
    gc.freeze()  # what is imported will never be garbage


def prepare_worker(detectors: dict[str, Any], explainers: dict[str, Any]) -> None:
    """Leave interrupts to the parent, and know what it knows, a script's own detectors among it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(RLock())  # its own is a semaphore, which a worker that is killed leaves to the system
    DETECTORS.update(detectors)
    EXPLAINERS.update(explainers)
