"""Dask's executors: on a local cluster, or on that of a scheduler's address."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from multiprocessing import resource_tracker
from threading import current_thread, main_thread
from typing import Any

import dask
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin
from distributed.utils import silence_logging_cmgr

from xadbench.datasets import InputError
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.explainers import EXPLAINERS

from .preloading import import_early
from .process_pool import Pool
from .worker import prepare_worker

CONNECT_SECONDS = 10
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has only the latter, which ends a process there
CLOSE_SECONDS = 0.2  # what does not end by then is killed: an interrupt is heeded within 5 s
SETTINGS = {
    "distributed.admin.large-graph-warning-threshold": "10GB",  # a table is sent with each job
    "distributed.deploy.lost-worker-timeout": "1h",  # a local worker that died has so long to come back
}


class _Prepared(WorkerPlugin):
    """Prepares every worker, those that join later or start again among them."""

    name = "xadbench"

    def __init__(self, registries: tuple[dict[str, Any], dict[str, Any]]) -> None:
        self.registries = registries

    def setup(self, worker: object) -> None:  # noqa: ARG002  # as Dask calls it
        prepare_worker(self.registries)
        import_early()  # or the first fit's time-out would have to last for it


@contextmanager
def dask_pool(workers: int, scheduler: str | None) -> Iterator[Pool]:
    """Yield a pool on the cluster of the scheduler's address, or on a local one of so many processes.

    Raises
    ------
    InputError
        If the scheduler does not answer or is lost, or a worker of it computes on more than one thread.
    """
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(SETTINGS))
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL))  # it is told by records
        client = _local(stack, workers) if scheduler is None else _remote(stack, scheduler)
        client.register_plugin(_Prepared((dict(DETECTORS), dict(EXPLAINERS))))
        try:
            executor = client.get_executor(pure=False)
            stack.callback(executor.shutdown, wait=False)
            yield Pool(executor, (BrokenExecutor, KilledWorker), n_tries=2)
        except CancelledError:
            where = scheduler or "the local cluster"
            raise InputError(f"{where}: lost its scheduler; the same command goes on from there") from None


def _local(stack: ExitStack, workers: int) -> Client:
    with _interrupted_later():
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,  # a trial has a limit of its own
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            scheduler_kwargs={"allowed_failures": 0, "dashboard": False},
        )
        stack.callback(_close, cluster)
        return stack.enter_context(Client(cluster))


@contextmanager
def _interrupted_later() -> Iterator[None]:
    """Put an interrupt off to the end, and let none reach what is started inside: a cluster half up hangs."""
    if not hasattr(signal, "pthread_sigmask") or current_thread() is not main_thread():  # the former: Windows
        yield
        return
    resource_tracker.ensure_running()  # whoever starts it later lets interrupts in
    noted: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which processes inherit
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler)
        if noted and callable(handler):  # not as a signal, which would count as a second interrupt
            handler(noted[0], None)


def _close(cluster: LocalCluster) -> None:
    """Close a cluster at once: what its workers are at is lost."""
    pids = [worker.pid for worker in cluster.workers.values() if worker.pid is not None]

    async def close_workers() -> None:
        closing = (worker.close(CLOSE_SECONDS) for worker in cluster.workers.values())
        await asyncio.gather(*closing, return_exceptions=True)
        for pid in pids:  # Dask does not insist
            with suppress(ProcessLookupError):
                os.kill(pid, KILL)

    for close in (partial(cluster.sync, close_workers, callback_timeout=1), partial(cluster.close, 1)):
        with suppress(TimeoutError):
            close()


def _remote(stack: ExitStack, scheduler: str) -> Client:
    try:
        client = stack.enter_context(Client(scheduler, timeout=CONNECT_SECONDS))
    except (OSError, ValueError) as error:
        raise InputError(f"scheduler {scheduler!r} does not answer: {error}") from None
    for address, n_threads in client.nthreads().items():
        if n_threads != 1:  # time-outs and memory limits are those of a process
            raise InputError(f"worker {address} has {n_threads} threads; start workers with --nthreads 1")
    return client
