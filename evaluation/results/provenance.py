"""The description of a run, `run.json`: on what, with what and when it was made, and by which sessions.

A session is a process that worked in the run's folder, and went on where others stopped.
"""

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Self

import threadpoolctl
from pydantic import Field

from xadbench.datasets.common.limits import memory_bytes
from xadbench.datasets.common.paths import inside
from xadbench.datasets.common.specs import build_spec
from xadbench.evaluation.suite.spec import Suite

from . import store
from .record import Part, check_version

RECORDED_VERSIONS = (
    *("xadbench", "numpy", "scipy", "pandas", "scikit-learn", "torch", "pyod", "pgmpy"),
    *("shap", "captum", "lime"),
)
PACKAGE = Path(__file__).parents[2]
FILE = "run.json"
OWN = ("command", "commit", "process", "started", "ended", "workers", "executor")
# What all sessions on one machine have in common; said of an earlier one where it differs from the last.
SHARED = ("platform", "cpu", "cpus", "memory_bytes", "threads", "blas", "blas_versions", "instructions")
# What the bits of a result depend on, beside the versions of libraries; and what switches instructions off.
ARITHMETIC = ("platform", "cpu", "threads", "blas_versions", "instructions")
SWITCHES = ("ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE", "MKL_CBWR", "NPY_DISABLE_CPU_FEATURES")


class Session(Part):
    """What is known of a session, by OWN, SHARED and the versions of libraries; None where it is not."""

    command: list[str] | None = None
    commit: str | None = None
    process: int | None = None
    started: str | None = None
    ended: str | None = None
    workers: int | None = None
    executor: str | None = None
    platform: str | None = None
    cpu: str | None = None
    cpus: int | None = None
    memory_bytes: int | None = None
    threads: int | None = None
    blas: list[str | None] | None = None
    blas_versions: list[str | None] | None = None
    instructions: list[str] | None = None
    versions: dict[str, str] = Field(default_factory=dict)


class RunDescription(Session):
    """What `run.json` says of a run: its suite, the last session, and OWN of all sessions.

    Attributes
    ----------
    suite
        As JSON values, since another version's cannot be read as a `Suite`; None where it is not known.
    sessions
        From the first to the last; of earlier ones also what differs from the last.
    """

    version: Literal[3] = 3
    suite: dict[str, Any] | None = None
    sessions: list[Session] = Field(default_factory=list)

    @property
    def environment(self) -> dict[str, Any] | None:
        """What the bits of the results depend on; None where it is not known, or not that of all sessions."""
        known = {name: getattr(self, name) for name in ("versions", *ARITHMETIC)}
        others = {*known} & {name for one in self.sessions for name in one.model_fields_set}
        return None if others or not all(known.values()) else known

    @classmethod
    def of(cls, values: object, where: str) -> Self:
        """Return the description in JSON values; `InputError` that begins with `where`, for what is none."""
        if isinstance(values, dict):
            check_version(values, where)
        return build_spec(values, cls, where)

    def as_json(self, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Return the JSON values of what is known, `without` some of it."""
        return self.model_dump(exclude_unset=True, exclude=set(without)) | {"version": self.version}


def read_description(run: Path) -> RunDescription | None:
    """Return what `run.json` says of a run; None where there is no JSON object that can be read.

    Raises
    ------
    InputError
        If it is no description of a run, or another version's; it names the file and the key. If it is no
        plain file, or a link out of the folder.
    """
    inside(run, FILE)
    values = store.read_json(run / FILE)
    return None if values is None else RunDescription.of(values, str(run / FILE))


@contextmanager
def session(run: Path, before: RunDescription | None, about: RunDescription) -> Iterator[None]:
    """Write to `run.json` that a session begins, and at the end that it is over; not if it is broken off.

    Parameters
    ----------
    run
        The run's folder.
    before
        What its `run.json` says of earlier sessions; that of older versions has no `sessions`, and knows the
        last one alone. None where there was none.
    about
        What is known of this one, as of `describe`: what `run.json` says next, with all `sessions`.
    """
    earlier = [] if before is None else [_short(before, one, about) for one in before.sessions or [before]]
    about = _with_sessions(about, [*earlier, _own(about)])
    store.write_json(run / FILE, about.as_json())
    yield
    about = about.model_copy(update={"ended": now()})
    others = read_description(run) or RunDescription()
    store.write_json(run / FILE, _with_sessions(about, _with_those_of(others, about)).as_json())


def _with_sessions(about: RunDescription, sessions: list[Session]) -> RunDescription:
    return about.model_copy(update={"sessions": sessions})


def _with_those_of(others: RunDescription, about: RunDescription) -> list[Session]:
    """Return the sessions until now, with those that began, or ended, meanwhile in the same folder."""
    found = {(one.started, one.process): one for one in others.sessions}
    known = []
    for one in about.sessions[:-1]:
        other = found.pop((one.started, one.process), one)
        known.append(one if one.ended else one.model_copy(update={"ended": other.ended}))
    found.pop((about.started, about.process), None)
    return [*known, _own(about), *(_short(others, one, about) for one in found.values())]


def _own(one: Session) -> Session:
    return Session.model_validate(one.model_dump(include=set(OWN), exclude_unset=True))


def _short(before: RunDescription, one: Session, about: RunDescription) -> Session:
    """Return an earlier session: what is its own, and what differs from the session that `about` is of."""
    versions = before.versions | one.versions
    others = {name: versions[name] for name in versions if versions[name] != about.versions.get(name)}
    known = {name: getattr(one if name in one.model_fields_set else before, name) for name in SHARED}
    differing: dict[str, Any] = {name: of for name, of in known.items() if of != getattr(about, name)}
    return _own(one).model_copy(update=differing | ({"versions": others} if others else {}))


def versions() -> dict[str, str]:
    """Return the versions of the libraries that a result may depend on."""
    return {name: _version(name) for name in RECORDED_VERSIONS}


_version = cache(version)  # it reads a whole file each time, and every record names them all


def describe(suite: Suite, workers: int, executor: str) -> RunDescription:
    """Return what is to be known of a run that begins now; its end is not known yet."""
    return RunDescription(
        suite=suite.model_dump(mode="json"),
        command=sys.argv,
        commit=commit(),
        process=os.getpid(),
        versions={"python": platform.python_version(), **versions()},
        platform=platform.platform(),
        cpu=_cpu(),
        cpus=os.cpu_count(),
        memory_bytes=memory_bytes(),
        workers=workers,
        executor=executor,
        threads=1,
        instructions=_instructions(),
        blas=[library["internal_api"] for library in threadpoolctl.threadpool_info()],
        blas_versions=[library["version"] for library in threadpoolctl.threadpool_info()],
        started=now(),
        ended=None,
    )


def now() -> str:
    """Return the time, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def commit() -> str | None:
    """Return the commit that runs, with `-dirty` where it was changed; None if that is not known."""
    command = ["git", "-C", str(PACKAGE), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    if not (PACKAGE / ".git").exists():  # installed: another repository around it is not ours
        return None
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603  # no input
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None


def _instructions() -> list[str]:
    """Return the kinds of processor that BLAS computes for, and what the user switched off."""
    kinds = {str(one["architecture"]) for one in threadpoolctl.threadpool_info() if "architecture" in one}
    return [*sorted(kinds), *(f"{name}={os.environ[name]}" for name in SWITCHES if name in os.environ)]


def _cpu() -> str:
    """Return the processor's name; what `platform` knows, where Linux does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
