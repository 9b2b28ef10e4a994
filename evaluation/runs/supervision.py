"""Runs jobs in worker processes, which may hang or die: what was under way is found out and recorded."""

import tempfile
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from xadbench.datasets import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.evaluation.results import store
from xadbench.evaluation.trial.limits import oom_kills
from xadbench.evaluation.trial.outcome import not_ok

from .execution import FITTING, Result, UnderWay, record_of, run_job
from .jobs import Job
from .process_pool import Pool, WorkerDied
from .worker_logs import own_logs

POLL_SECONDS = 0.5
MOST_DEATHS = 10  # of workers, one after the other, before a job begins
Number = Hashable  # of a job, as the caller counts them
Finished = tuple[Any, store.Record]
Further = Callable[[Executor, Path], Iterable[tuple[Number, Job]]]
OnRunning = Callable[[Sequence[UnderWay]], object]


@dataclass(eq=False)
class Task:
    """A job under its number, and a folder of its own where its worker says how far it is."""

    number: Number
    job: Job
    log: Path
    n_reported: int = 0
    n_deaths: int = 0  # of workers that were at its first trial, or at none yet

    @property
    def step(self) -> int | None:
        """The trial under way, FITTING, the number of trials behind the last, or None before all of it."""
        return _step(self.log)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left but to say so."""
        return self.step == len(self.job.trials)

    @property
    def last_words(self) -> str:
        """The traceback of a worker that ended itself; empty where it did not."""
        return (self.log / "last_words").read_text(encoding="utf-8", errors="replace")

    def under_way(self) -> Iterator[UnderWay]:
        """Yield the trial that its worker computes, if it does."""
        step = self.step
        if step is not None and step < len(self.job.trials):
            yield UnderWay.of(self.job, step)

    def news(self, run: Path) -> Iterator[Finished]:
        """Yield the records that were written since the last call."""
        start, self.n_reported = self.n_reported, max(self.step or 0, self.n_reported)
        for key, _ in self.job.trials[start : self.n_reported]:
            record = store.read_trial(run, key)
            if record is None:
                raise InputError(f"{run}: the record of {key} was written, but cannot be read; run again")
            yield self.number, record

    def fail(self, run: Path, error: Exception, n_oom_kills: int) -> Iterator[Finished]:
        """Record what was under way, a trial or the fitting for all, as what ended the worker.

        `n_oom_kills` of processes are known to have happened while it was.
        """
        first, behind = self._suspected()
        result = self._verdict(error, n_oom_kills)
        self.n_reported, self.n_deaths = behind, 0
        for key, explainer in self.job.trials[first:behind]:
            record = store.read_trial(run, key)
            if record is None or not record.is_finished:
                record = store.write_record(run, record_of(self.job, key, explainer, {}, result))
            yield self.number, record

    def _suspected(self) -> tuple[int, int]:
        step = self.step
        if step is None or step == FITTING:
            return self.n_reported, len(self.job.trials)
        return step, step + 1

    def _verdict(self, error: Exception, n_oom_kills: int) -> Result:
        if words := self.last_words:
            reason = f"took more than {self.job.timeout:g} s and was ended with its worker"
            return not_ok("timeout", reason, words)
        if n_oom_kills and "SIGKILL" in str(error):
            return not_ok("out-of-memory", "the kernel ran out of memory and killed its worker", str(error))
        reason = "its worker process was killed, perhaps for want of memory, or ended itself"
        said = f"{reason}: {error}" if isinstance(error, WorkerDied) else reason
        return not_ok("error", said, str(error))

    def is_at_fault(self, error: Exception, n_tries: int) -> bool:
        """Whether what was under way is to be recorded as what ended the worker, rather than done again.

        Raises
        ------
        InputError
            If worker after worker died before it began anything.
        """
        self.n_deaths = 1 if self.n_reported else self.n_deaths + 1
        if self.step is None:
            if self.n_deaths >= MOST_DEATHS:  # others would do no better
                said = " ".join(str(error).split())
                raise InputError(f"no worker lives long enough to begin: {said}; the same command goes on")
            return False
        return not self.is_done and (bool(self.last_words) or self.n_deaths >= n_tries)

    def rest(self, log: Path) -> "Task":
        """Return what is left of it, as a new task."""
        return Task(self.number, self.job.since(self.n_reported), log, n_deaths=self.n_deaths)


def run_in_workers(
    run: Path,
    jobs: Iterable[tuple[Number, Job]],
    pool: AbstractContextManager[Pool],
    on_running: OnRunning = lambda running: None,  # noqa: ARG005  # the trials under way
    further: Further = lambda executor, folder: (),  # noqa: ARG005  # jobs that workers are to prepare
) -> Iterator[Finished]:
    """Yield each record, soon after it is written, with the number of its job.

    A trial that ends its worker gets a record that says so, and the rest of its job is done by another.

    Parameters
    ----------
    run
        The run's folder; every worker can write there.
    jobs
        What to do, under numbers of the caller's.
    pool
        Who does it.
    on_running
        Called now and then with the trials under way.
    further
        Called with the executor, and with a folder for files that last as long as the jobs; returns
        further jobs.
    """
    with own_logs(run) as logs, pool as own:
        new_log = partial(tempfile.mkdtemp, dir=logs)
        all_jobs = [*_prepared(further, own, Path(new_log())), *jobs]
        tasks = sorted(
            (Task(number, job, Path(new_log())) for number, job in all_jobs), key=_size, reverse=True
        )
        futures: dict[Future[None], Task] = {}

        def begin(task: Task) -> None:
            futures[own.executor.submit(_work, run.resolve(), task.job, task.log.resolve())] = task

        for task in sorted(tasks, key=_size, reverse=True):
            begin(task)
        due, n_killed = 0.0, oom_kills()
        while futures:
            done, _ = wait(futures, POLL_SECONDS, FIRST_COMPLETED)
            is_due = time.monotonic() >= due  # to look at all, which a long suite has thousands of
            for task in futures.values() if is_due else [futures[future] for future in done]:
                yield from task.news(run)
            if is_due:
                on_running([one for task in futures.values() for one in task.under_way()])
                due = time.monotonic() + POLL_SECONDS
            for future in done:
                task = futures.pop(future)
                try:
                    future.result()
                except own.deaths as error:
                    yield from task.news(run)
                    n_before, n_killed = n_killed, oom_kills()
                    if task.is_at_fault(error, own.n_tries):
                        yield from task.fail(run, error, n_killed - n_before)
                    if task.n_reported < len(task.job.trials):
                        begin(task.rest(Path(new_log())))


def _prepared(further: Further, pool: Pool, folder: Path) -> list[tuple[Number, Job]]:
    try:
        return list(further(pool.executor, folder))
    except pool.deaths as error:
        said = " ".join(str(error).split())
        raise InputError(
            f"no worker lives long enough to make a table: {said}; the same command goes on"
        ) from None


def _size(task: Task) -> int:
    """Return by what a job is begun early: where a long one comes last, the other workers wait for it."""
    return task.job.table.n_rows * len(task.job.trials)


def _work(run: Path, job: Job, log: Path) -> None:
    """Do a job in a worker, or what is left of it where an executor tries again after a worker's death."""
    first = max(0, _step(log) or 0)
    if (words := log / "last_words").exists() and words.stat().st_size:
        raise BrokenExecutor("its worker ended itself")  # and would again

    def note(step: int) -> None:
        if step != FITTING or not first:
            _note(log, first + step)

    with one_thread(), words.open("w", encoding="utf-8") as last_words:
        for _ in run_job(run, job.since(first), note, last_words):
            pass
        _note(log, len(job.trials))


def _note(log: Path, step: int) -> None:
    draft = log / "draft"
    draft.write_text(str(step), encoding="ascii")
    draft.replace(log / "step")


def _step(log: Path) -> int | None:
    path = log / "step"
    return int(path.read_text(encoding="ascii")) if path.exists() else None
