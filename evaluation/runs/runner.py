"""Runs a suite's trials, writes a record each, and resumes where a run was stopped."""

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from xadbench.datasets import InputError
from xadbench.datasets.common.errors import unknown
from xadbench.evaluation.results import store
from xadbench.evaluation.results.artifacts import write_rows
from xadbench.evaluation.results.provenance import provenance
from xadbench.evaluation.results.record import check_version
from xadbench.evaluation.results.requested import write_asked
from xadbench.evaluation.results.table_summary import write_portraits
from xadbench.evaluation.suite.expand import resolve
from xadbench.evaluation.suite.spec import Suite, load_suite
from xadbench.evaluation.trial.limits import check_limits, one_thread

from .execution import UnderWay, records_of_unmade, run_job
from .jobs import Job, Unmade, asked_of, plan
from .preloading import frozen, import_early
from .sessions import session
from .worker_logs import sweep_logs

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .loky_pool import Pool

Executor = Literal["loky", "dask"]
OnRunning = Callable[[Sequence[UnderWay]], object]
OnTrial = Callable[[store.Record, bool], None]
Told = tuple[int, store.Record]


def run_suite(
    suite: Suite | str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    on_trial: OnTrial | None = None,
    on_running: OnRunning = lambda running: None,  # noqa: ARG005  # named as in the protocol
    *,
    workers: int = 1,
    executor: Executor = "loky",
    scheduler: str | None = None,
    known: Iterable[store.Record] = (),
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
        Number of worker processes on this machine. With 1, and loky, trials run in this process, unless the
        suite has a time-out or a memory limit: these, and trials that kill their process, are contained in
        workers alone.
    executor
        `loky`: processes of this machine; `dask`: workers of a cluster, local if no scheduler is given.
    scheduler
        Address of a Dask scheduler, such as `tcp://head:8786`, whose workers share the run's folder.
    known
        Records of trials finished elsewhere, such as `shipped` gives: those whose keys are the suite's are
        taken into the folder, not computed.

    Raises
    ------
    InputError
        If the suite, or a part that it names, is not usable, or Dask is not installed; found before any
        trial. If the scheduler does not answer, or is lost.
    """
    suite = suite if isinstance(suite, Suite) else load_suite(str(suite))
    if workers < 1:
        raise InputError(f"workers is {workers}; expected at least 1")
    _check_executor(executor, scheduler)
    check_limits(suite.timeout, suite.memory_limit)
    run = Path("runs") / suite.name if out is None else Path(out)
    tell = on_trial or (lambda record, is_new: None)  # noqa: ARG005  # named as in the protocol
    with ExitStack() as stack:
        pool = _pool(suite, workers, executor, scheduler)
        # Workers start while this process makes the tables.
        if pool is not None and executor == "loky" and not _is_ended(run):
            pool = nullcontext(stack.enter_context(pool))
        import_early()
        stack.enter_context(frozen())
        stack.enter_context(one_thread())
        unmade: list[Unmade] = []
        suite = resolve(suite)
        jobs = plan(suite, unmade.append)
        failed = [record for one in unmade for record in records_of_unmade(one)]
        about = provenance(suite, workers, executor)
        before = _start(run, about)
        write_asked(run, asked_of(jobs, failed))
        write_portraits(run, (job.source for job in jobs))
        found = _finished(run, jobs, tell, {record["key"]: record for record in known})
        left = _left(jobs, found)
        is_idle = not left and before.get("ended") and before["suite"] == about["suite"]
        if not is_idle:  # one that finds all done computes nothing, and is no session
            stack.enter_context(session(run, before, about))
        for i, record in _execute(run, left, pool, on_running):
            found[i, record["key"]] = record
            tell(_labelled(record, jobs[i], record["key"]), True)  # noqa: FBT003  # a callback's second argument
        records = [_labelled(found[i, key], job, key) for i, job in enumerate(jobs) for key, _ in job.trials]
        records += _failed(run, failed, tell)
        store.write_results(run, records)
        write_rows(run, records)
    return records


def _finished(
    run: Path, jobs: Sequence[Job], tell: OnTrial, known: Mapping[str, store.Record]
) -> dict[tuple[int, str], store.Record]:
    """Return the records that are reused, by the number of their job and key; write those known elsewhere."""
    found = {}
    for i, job in enumerate(jobs):
        for key, _ in job.trials:
            record = store.read_trial(run, key)
            if not store.is_finished(record) and key in known:
                record = store.write_record(run, known[key])
            if record is not None and store.is_finished(record):
                found[i, key] = record
                tell(_labelled(record, job, key), False)  # noqa: FBT003  # as above
    return found


def _failed(run: Path, records: Iterable[store.Record], tell: OnTrial) -> list[store.Record]:
    """Write and return the records of the trials on tables that cannot be made."""
    written = [store.write_record(run, record) for record in records]
    for record in written:
        tell(record, True)  # noqa: FBT003  # as above
    return written


def _left(jobs: Sequence[Job], found: Container[tuple[int, str]]) -> list[tuple[int, Job]]:
    """Return what is left of the jobs, under their numbers."""
    left = (
        (i, replace(job, trials=tuple(trial for trial in job.trials if (i, trial[0]) not in found)))
        for i, job in enumerate(jobs)
    )
    return [(i, job) for i, job in left if job.trials]


def _check_executor(executor: str, scheduler: str | None) -> None:
    if executor not in get_args(Executor):
        raise unknown("executor", executor, get_args(Executor))
    if scheduler is not None and executor != "dask":
        raise InputError(f"scheduler {scheduler!r} is one of Dask; expected executor dask, not {executor}")
    if executor == "dask" and find_spec("distributed") is None:
        raise InputError("executor dask needs Dask distributed: pip install 'xadbench[dask]'")


def _pool(
    suite: Suite, workers: int, executor: Executor, scheduler: str | None
) -> "AbstractContextManager[Pool] | None":
    """Return where workers come from; None where trials run in this process."""
    if executor == "dask":
        from .dask_pool import dask_pool  # noqa: PLC0415  # an extra

        return dask_pool(workers, scheduler)
    if workers == 1 and suite.timeout is None and suite.memory_limit is None:
        return None
    from .loky_pool import loky_pool  # noqa: PLC0415  # only where asked for

    return loky_pool(workers)


def _execute(
    run: Path,
    jobs: Sequence[tuple[int, Job]],
    pool: "AbstractContextManager[Pool] | None",
    on_running: OnRunning,
) -> Iterator[Told]:
    """Yield the records of the jobs as they are made."""
    if not jobs:
        return
    if pool is not None:
        from .supervision import run_in_workers  # noqa: PLC0415  # only where asked for

        yield from run_in_workers(run, jobs, pool, on_running)
        return
    for i, job in jobs:

        def tell(step: int, job: Job = job) -> None:
            on_running([UnderWay.of(job, step)])

        yield from ((i, record) for record in run_job(run, job, tell))


def _labelled(record: store.Record, job: Job, key: str) -> store.Record:
    """Return a record under the suite's labels: they may be others than those of the run that wrote it."""
    source, explainer = job.source, job.explainers[key]
    return store.labelled(record, source.label, source.origin, job.detector.label, explainer.label)


def _is_ended(run: Path) -> bool:
    """Whether a run in the folder came to its end: another one may have nothing left to do."""
    return bool((store.read_json(run / "run.json") or {}).get("ended"))


def _start(run: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of an earlier run in the folder; empty if there was none."""
    before = earlier(run, about["suite"]["name"])
    store.sweep(run)
    sweep_logs(run)
    return before


def earlier(run: Path, name: str) -> dict[str, Any]:
    """Return what run.json says of an earlier run of the suite of that name; empty if there was none.

    Raises
    ------
    InputError
        If the folder is a file, or holds the run of another suite.
    """
    if run.exists() and not run.is_dir():
        raise InputError(f"{run} is a file; choose a folder for the run")
    before = store.read_json(run / "run.json")
    if before is not None and before.get("suite", {}).get("name") != name:
        raise InputError(f"{run} holds the run of another suite; choose another folder")
    if before is not None:
        check_version(before, f"{run / 'run.json'}")
    return before or {}
