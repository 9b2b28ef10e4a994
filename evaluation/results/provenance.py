"""On what, with what and when a run was made."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import threadpoolctl

from xadbench.evaluation.suite.spec import Suite

from .record import RECORD_VERSION

RECORDED_VERSIONS = (
    *("xadbench", "numpy", "scipy", "pandas", "scikit-learn", "torch", "pyod", "pgmpy"),
    *("shap", "captum", "lime"),
)
PACKAGE = Path(__file__).parents[2]


def versions() -> dict[str, str]:
    """Return the versions of the libraries that a result may depend on."""
    return {name: _version(name) for name in RECORDED_VERSIONS}


_version = cache(version)  # it reads a whole file each time, and every record names them all


def provenance(suite: Suite, workers: int, executor: str) -> dict[str, Any]:
    """Return, as JSON values, what is to be known of a run that begins now; its end is not known yet."""
    return {
        "version": RECORD_VERSION,
        "suite": suite.model_dump(mode="json"),
        "command": sys.argv,
        "commit": commit(),
        "process": os.getpid(),
        "versions": {"python": platform.python_version(), **versions()},
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "memory_bytes": _memory_bytes(),
        "workers": workers,
        "executor": executor,
        "threads": 1,
        "blas": [library["internal_api"] for library in threadpoolctl.threadpool_info()],
        "blas_versions": [library["version"] for library in threadpoolctl.threadpool_info()],
        "started": now(),
        "ended": None,
    }


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


def _cpu() -> str:
    """Return the processor's name; what `platform` knows, where Linux does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # no POSIX
        return None
