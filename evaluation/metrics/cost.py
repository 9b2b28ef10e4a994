"""What a computation costs: time, rows scored, memory, and a unit of time that goes with the machine."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.rng import stream

MATMUL_SIZE, MATMUL_RUNS = 512, 5
MATMUL_LASTS = 10.0  # seconds for which a run says how fast the machine is
SCORERS: dict[str, Callable[..., int]] = {  # by method, how many rows its arguments ask it to score
    "decision_function": len,
    "score_tensor": len,
    "score_changes": lambda rows, features, values: len(rows) + values.size,  # noqa: ARG005  # its arguments
}
STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Cost:
    """What a computation cost.

    Parameters
    ----------
    seconds, cpu_seconds
        Wall-clock time, and processor time of all threads of this process.
    rows_scored
        Rows that the detector scored or differentiated, by `decision_function`, `score_tensor`,
        `score_changes` or the module that `score_module` gives. What reads a detector's weights or trees by
        itself is not counted. NaN where that cannot be seen: of a detector without `__dict__`.
    peak_bytes
        How far the process's resident memory rose above where it began, torch's included. Memory that was
        freed before, but not given back, is used again unseen: 0 does not mean that nothing was needed. NaN
        where the system does not tell.
    """

    seconds: float = float("nan")
    cpu_seconds: float = float("nan")
    rows_scored: float = 0
    peak_bytes: float = float("nan")


@dataclass
class Rows:
    """A count of rows."""

    scored: float = 0
    depth: int = 0  # a scorer that calls another one counts its rows once


@contextmanager
def metered(rows: Rows | None = None, *, memory: bool = True) -> Iterator[Cost]:
    """Yield the cost of what happens within the scope, complete behind it; rows as `counted` counts them.

    Without `memory`, `peak_bytes` is NaN: asking the kernel for it takes longer than a brief computation.
    """
    cost, counted_before = Cost(), 0 if rows is None else rows.scored
    memory_before = _reset_peak() if memory else cost.peak_bytes
    wall, cpu = time.perf_counter(), time.process_time()
    yield cost
    cost.cpu_seconds, cost.seconds = time.process_time() - cpu, time.perf_counter() - wall
    if memory:
        cost.peak_bytes = max(_peak() - memory_before, 0.0)
    cost.rows_scored = 0 if rows is None else rows.scored - counted_before


@contextmanager
def counted(detector: Any) -> Iterator[Rows]:
    """Yield a count of the rows that a detector scores within the scope.

    Its scorers are shadowed on the object itself, so that an explainer that asks what kind of detector it is
    gets the same answer. As with any change of a shared object, not in several threads at once. Where an
    object takes no further attributes, as with `__slots__`, the count is NaN.
    """
    if not hasattr(detector, "__dict__"):
        yield Rows(scored=float("nan"))
        return
    rows, own = Rows(), vars(detector)
    hooks: list[Any] = []
    before = {name: own[name] for name in (*SCORERS, "score_module") if name in own}
    wrapped = {
        name: _counting(getattr(detector, name), size, rows)
        for name, size in SCORERS.items()
        if hasattr(detector, name)
    }
    if hasattr(detector, "score_module"):
        wrapped["score_module"] = _hooking(detector.score_module, rows, hooks)
    own.update(wrapped)
    try:
        yield rows
    finally:
        for name in wrapped:
            del own[name]
        own.update(before)
        for hook in hooks:
            hook.remove()


def _counting(scorer: Callable[..., Any], size: Callable[..., int], rows: Rows) -> Callable[..., Any]:
    @wraps(scorer)
    def counting(*args: Any, **settings: Any) -> Any:
        rows.scored += size(*args, *settings.values()) if rows.depth == 0 else 0
        rows.depth += 1
        try:
            return scorer(*args, **settings)
        finally:
            rows.depth -= 1

    return counting


def _hooking(make_module: Callable[..., Any], rows: Rows, hooks: list[Any]) -> Callable[..., Any]:
    def count(_: Any, inputs: tuple[Any, ...]) -> None:
        rows.scored += len(inputs[0]) if rows.depth == 0 else 0

    @wraps(make_module)
    def making(*args: Any, **settings: Any) -> Any:
        module = make_module(*args, **settings)
        hooks.append(module.register_forward_pre_hook(count))
        return module

    return making


def matmul_seconds() -> float:
    """Return the processor time of one product of two fixed 512 x 512 float64 matrices, here and now.

    The least of those of the last `MATMUL_LASTS` seconds, at least five; another one is run where the last is
    more than a fifth of that ago, so that it takes little of many short trials. A cost in units of it can be
    compared between machines, as far as they differ in how fast they compute.
    """
    oldest = time.monotonic() - MATMUL_LASTS
    recent = [(when, took) for when, took in _RUNS if when > oldest]
    is_due = not recent or recent[-1][0] < oldest + MATMUL_LASTS * (1 - 1 / MATMUL_RUNS)
    n_missing = max(MATMUL_RUNS - len(recent), int(is_due))
    _RUNS[:] = recent + [_run_matmul() for _ in range(n_missing)]
    return min(took for _, took in _RUNS)


_RUNS: list[tuple[float, float]] = []  # of the kernel in this process: when, and how long


def _run_matmul() -> tuple[float, float]:
    a, b = _matrices()
    start = time.process_time()
    np.dot(a, b)
    return time.monotonic(), time.process_time() - start


@cache
def _matrices() -> FloatArray:
    return stream(0, "kernel").standard_normal((2, MATMUL_SIZE, MATMUL_SIZE))


def _reset_peak() -> float:
    """Return the resident memory in bytes, and let the kernel's record of its peak begin again."""
    try:
        CLEAR_REFS.write_text("5")
        return _status("VmRSS")
    except OSError:  # no Linux: the record goes on, and shows only what exceeds every earlier peak
        return _high_water_mark()


def _peak() -> float:
    try:
        return _status("VmHWM")
    except OSError:
        return _high_water_mark()


def _status(field: str) -> float:
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return 1024.0 * int(line.split()[1])


def _high_water_mark() -> float:
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
