"""Runs a suite's trials, writes a record each, and resumes where a run was stopped."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor as FuturesExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from xadbench.datasets import InputError
from xadbench.datasets.common.errors import unknown
from xadbench.datasets.common.threads import one_thread
from xadbench.evaluation.results import store
from xadbench.evaluation.results.artifacts import write_rows
from xadbench.evaluation.results.provenance import RunDescription, describe, read_description, session
from xadbench.evaluation.results.requested import write_requested
from xadbench.evaluation.suite.expand import resolve
from xadbench.evaluation.suite.spec import Suite
from xadbench.evaluation.suite.user_code import names_user_code
from xadbench.evaluation.trial.limits import check_limits

from .execution import UnderWay, records_of_infeasible, run_job
from .jobs import Job, Plan, load_checked, requested_of
from .preloading import frozen, import_early
from .run_tables import Found, Tables, load_in_worker, load_known, recorded, survey_in_workers
from .worker_logs import sweep_logs

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .process_pool import Pool

Executor = Literal["processes", "dask"]
OnRunning = Callable[[Sequence[UnderWay]], object]
OnTrial = Callable[[store.Record, bool], None]
Number = tuple[int, int]  # of a table, and of a job on it
Finished = tuple[Number, store.Record]


def run_suite(
    suite: Suite | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    on_trial: OnTrial | None = None,
    on_running: OnRunning = lambda running: None,  # noqa: ARG005  # named as in the protocol
    *,
    workers: int = 1,
    executor: Executor = "processes",
    scheduler: str | None = None,
    known: Iterable[store.Record] = (),
    recompute: bool = False,
    in_process: bool = False,
) -> list[store.Record]:
    """Run a suite and return the records of its trials.

    Trials that an earlier run in the same folder finished are read, not repeated; those that failed run
    again. Numbers are computed on one thread, so that they do not depend on the number of cores, nor on that
    of workers.

    Parameters
    ----------
    suite
        A suite, a shipped suite's name, or the path of a `.yaml` file.
    out
        The run's folder; default: `runs/<suite>`. Several processes may work on one: none repeats what
        another has finished.
    on_trial
        Called after each trial with its record and whether it was computed now.
    on_running
        Called now and then with the trials under way.
    workers
        Number of worker processes on this machine. With 1, and no cluster, trials run in this process if the
        suite has no time-out and no memory limit and names no code of the user's: what kills, stops or leaves
        its process is contained in workers alone. Components made from objects run in this process too.
    executor
        `processes`: of this machine; `dask`: workers of a cluster, local if no scheduler is given.
    scheduler
        Address of a Dask scheduler, such as `tcp://head:8786`, whose workers share the run's folder.
    known
        Records of trials finished elsewhere, such as `shipped` gives: those whose keys are the suite's are
        taken into the folder, not computed.
    recompute
        Run trials again whose code imports by names known only at run time: a change of it goes unnoticed.
    in_process
        Run the user's code in this process too, without that protection: for a debugger.

    Raises
    ------
    InputError
        If the suite, or a part that it names, is not usable, or Dask is not installed; found before any
        trial. If the scheduler does not answer, or is lost.
    """
    suite = suite if isinstance(suite, Suite) else load_checked(str(suite))
    if workers < 1:
        raise InputError(f"workers is {workers}; expected at least 1")
    _check_executor(executor, scheduler)
    check_limits(suite.timeout, suite.memory_limit)
    if in_process:
        _check_in_process(suite, workers, executor)
    run = Path("runs") / suite.name if out is None else Path(out)
    tell = on_trial or (lambda record, is_new: None)  # noqa: ARG005  # named as in the protocol
    with ExitStack() as stack:
        pool = None if in_process else _pool(suite, workers, executor, scheduler)
        # Workers start while this process imports what it needs, and checks the suite.
        if pool is not None and executor == "processes" and not _is_ended(run):
            pool = nullcontext(stack.enter_context(pool))
        import_early()
        stack.enter_context(frozen())
        stack.enter_context(one_thread())
        planned = Plan(resolve(suite))
        about = describe(planned.suite, workers, executor)
        before = earlier(run, suite.name)
        store.sweep(run)
        sweep_logs(run)
        work = _Work(run, planned, tell, {record.key: record for record in known}, recompute=recompute)
        is_idle = work.is_done and before and before.ended and before.suite == about.suite
        if not is_idle:  # one that finds all done computes nothing, and is no session
            stack.enter_context(session(run, before, about))
        for number, record in (
            work.finished_in_workers(pool, on_running) if pool else work.finished(on_running)
        ):
            work.found[number, record.key] = record
            labelled = _labelled(record, work.jobs[number], record.key)
            tell(labelled, True)  # noqa: FBT003  # a callback's second argument
        records = work.records()
        store.write_results(run, records)
        write_rows(run, records)
    return records


class _Work:
    """What a run has to do, and what it has done.

    The tables whose content hash an earlier process recorded are not made to know their trials' keys, and so
    not at all where these have their records. Any other table is made when its first trial is to run.
    """

    def __init__(
        self, run: Path, planned: Plan, tell: OnTrial, known: Mapping[str, store.Record], *, recompute: bool
    ) -> None:
        self.recompute = recompute
        self.run, self.planned, self.known, self.tell = run, planned, known, tell
        self.jobs: dict[tuple[int, int], Job] = {}  # by the numbers of their tables, and their own
        self.found: dict[tuple[tuple[int, int], str], store.Record] = {}
        self.failed: dict[int, list[store.Record]] = {}  # by the numbers of their tables
        self.tables = Tables()  # of this process
        self.unknown: list[int] = []
        self._left: list[tuple[tuple[int, int], Job]] = []
        for number, (request, _) in enumerate(planned.tables):
            table = recorded(run, request)
            if table is None:
                self.unknown.append(number)
            else:
                self._left += self._begin(number, table)
        self._write_requested()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to compute."""
        return not self._left and not self.unknown

    def _begin(self, number: int, table: Found, place: Path | None = None) -> list[tuple[Number, Job]]:
        """Return the jobs that are left on a table, now that it is known."""
        if isinstance(table, str):
            infeasible = self.planned.infeasible(number, table)
            self.failed[number] = [
                store.write_record(self.run, record)
                for one in infeasible
                for record in records_of_infeasible(one)
            ]
            for record in self.failed[number]:
                self.tell(record, True)  # noqa: FBT003  # as above
            return []
        request = self.planned.tables[number][0]
        load = partial(load_in_worker, request, table, place)
        jobs = {(number, i): job for i, job in enumerate(self.planned.jobs(number, table, load))}
        self.jobs |= jobs
        left = ((key, self._left_of(key, job)) for key, job in jobs.items())
        return [(key, job) for key, job in left if job.trials]

    def _left_of(self, number: Number, job: Job) -> Job:
        """Return a job without the trials that have a record, here or elsewhere."""
        left = []
        for key, explainer in job.trials:
            record = store.read_trial(self.run, key)
            if (record is None or not record.is_finished) and key in self.known:
                record = store.write_record(self.run, self.known[key])
            if record is not None and record.is_finished and not (self.recompute and record.untraced):
                self.found[number, key] = record
                self.tell(_labelled(record, job, key), False)  # noqa: FBT003  # as above
            else:
                left.append((key, explainer))
        return replace(job, trials=tuple(left))

    def _write_requested(self) -> None:
        """Write which trials the run is asked for, as far as their keys are known."""
        failed = (record for number in sorted(self.failed) for record in self.failed[number])
        write_requested(self.run, requested_of((self.jobs[number] for number in sorted(self.jobs)), failed))

    def finished(self, on_running: OnRunning) -> Iterator[Finished]:
        """Yield the records of the trials, which are computed in this process, table by table."""
        left = {table: list(jobs) for table, jobs in groupby(self._left, key=lambda one: one[0][0])}
        for number, (request, _) in enumerate(self.planned.tables):
            jobs = left.get(number, [])
            if number in self.unknown:
                jobs = self._begin(number, self.tables.survey(self.run, request))
                self._write_requested()
            for key, job in jobs:
                here = replace(job, load=partial(load_known, self.tables, request, job.table))

                def tell(step: int, job: Job = here) -> None:
                    on_running([UnderWay.of(job, step)])

                yield from ((key, record) for record in run_job(self.run, here, tell))
        self.tables = Tables()

    def finished_in_workers(
        self, pool: "AbstractContextManager[Pool]", on_running: OnRunning
    ) -> Iterator[Finished]:
        """Yield the records of the trials, which workers compute."""
        from .supervision import run_in_workers  # noqa: PLC0415  # only where asked for

        if not self.is_done:
            yield from run_in_workers(self.run, self._left, pool, on_running, self._survey)

    def _survey(self, executor: FuturesExecutor, folder: Path) -> Iterator[tuple[Number, Job]]:
        """Yield the jobs on the tables that are not known, once workers have made these."""
        requests = [self.planned.tables[number][0] for number in self.unknown]
        surveyed = survey_in_workers(self.run, requests, executor, folder)
        for i, (number, table) in enumerate(zip(self.unknown, surveyed, strict=True)):
            yield from self._begin(number, table, (folder / f"{i}").resolve())
        self._write_requested()

    def records(self) -> list[store.Record]:
        """Return the records of all trials, in the suite's order, under its labels; those that fail last."""
        jobs = ((number, self.jobs[number]) for number in sorted(self.jobs))
        records = [
            _labelled(self.found[number, key], job, key) for number, job in jobs for key, _ in job.trials
        ]
        return records + [record for number in sorted(self.failed) for record in self.failed[number]]


def _check_executor(executor: str, scheduler: str | None) -> None:
    if executor not in get_args(Executor):
        raise unknown("executor", executor, get_args(Executor))
    if scheduler is not None and executor != "dask":
        raise InputError(f"scheduler {scheduler!r} is one of Dask; expected executor dask, not {executor}")
    if executor == "dask" and find_spec("distributed") is None:
        raise InputError("executor dask needs Dask distributed: pip install 'xadbench[dask]'")


def _check_in_process(suite: Suite, workers: int, executor: Executor) -> None:
    if workers > 1 or executor != "processes":
        raise InputError("in-process runs have no workers; leave out in-process, or workers and executor")
    if suite.timeout is not None or suite.memory_limit is not None:
        raise InputError("a time-out and a memory limit hold in workers alone; leave out in-process, or them")


def _pool(
    suite: Suite, workers: int, executor: Executor, scheduler: str | None
) -> "AbstractContextManager[Pool] | None":
    """Return where workers come from; None where trials run in this process."""
    is_limited = suite.timeout is not None or suite.memory_limit is not None
    if executor == "processes" and workers == 1 and not is_limited and not names_user_code(suite):
        return None
    from .process_pool import check_objects, process_pool  # noqa: PLC0415  # only where asked for

    check_objects((*suite.detectors, *suite.explainers))
    if executor == "processes":
        return process_pool(workers)
    from .dask_pool import dask_pool  # noqa: PLC0415  # an extra

    return dask_pool(workers, scheduler)


def _labelled(record: store.Record, job: Job, key: str) -> store.Record:
    """Return a record under the suite's labels: they may be others than those of the run that wrote it."""
    labels = job.table.label, job.table.origin, job.detector.label, job.explainers[key].label
    return record.labelled(*labels)


def _is_ended(run: Path) -> bool:
    """Whether a run in the folder came to its end: another one may have nothing left to do."""
    before = read_description(run)
    return before is not None and before.ended is not None


def earlier(run: Path, name: str) -> RunDescription | None:
    """Return the description of an earlier run of the suite of that name; None if there was none.

    Raises
    ------
    InputError
        If the folder is a file, or holds the run of another suite or version, or other things and no run.
    """
    if run.exists() and not run.is_dir():
        raise InputError(f"{run} is a file; choose a folder for the run")
    before = read_description(run)
    if before is None and run.exists():
        store.check_no_others(run)
    if before is not None and (before.suite or {}).get("name") != name:
        raise InputError(f"{run} holds the run of another suite; choose another folder")
    return before
