"""What a check is, how it is run, and what checks of explainers and detectors share.

`xadbench check` and the classes of `xadbench.evaluation.conformance.testing` run them.
"""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import BREAKS, one_line
from xadbench.datasets.common.process_state import preserved
from xadbench.datasets.common.threads import one_thread

from . import global_states
from .toy_detectors import toy_rows

TOLERANCE = 1e-4  # of the largest value: what computes in float32 rounds by the batch
RANDOM = "draw from numpy.random.default_rng(random_state), where random_state is a parameter of __init__"
AXES = ("row", "feature")

S = TypeVar("S")


@dataclass(frozen=True)
class Check(Generic[S]):
    """One check: what it asks for, what finds a problem (None: there is none), and how to fix one."""

    name: str
    asks: str
    problem: Callable[[S], str | None]
    remedy: str


@dataclass(frozen=True)
class Finding:
    """What is wrong, and how to fix it."""

    check: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.check}: {self.problem}\n  To fix: {self.remedy}"


def run(check: Check[S], subject: S) -> Finding | None:
    """Return what a check finds; None if the subject passes. What the subject raises is a finding."""
    with one_thread(), preserved(), chdir(Path.cwd()):  # a plug-in may go elsewhere
        try:
            problem = check.problem(subject)
        except BREAKS:
            raise
        except BaseException as error:  # noqa: BLE001  # whatever a plug-in raises, as Rust's panics do
            problem = f"it raised {one_line(error)} ({_where(error)})"
    return None if problem is None else Finding(check.name, problem, check.remedy)


def findings(subject: S, checks: Sequence[Check[S]]) -> Iterator[tuple[Check[S], Finding | None]]:
    """Yield each check with what it finds; where the first finds something the others make no sense."""
    for check in checks:
        finding = run(check, subject)
        yield check, finding
        if finding is not None and check is checks[0]:
            return


def _where(error: BaseException) -> str:
    """Return the last line outside of this package that an error came through, or its last at all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = Path(__file__).parents[2]
    theirs = [frame for frame in frames if ours not in Path(frame.filename).parents] or frames
    return f"{theirs[-1].filename}, line {theirs[-1].lineno}"


def background() -> FloatArray:
    """Return the rows (300, 5) that detectors are fitted to; the caller's to change."""
    return toy_rows("background", 300)


def with_constant() -> FloatArray:
    """Return the same rows with a feature that is constant, as some are in real tables."""
    flat = background()
    flat[:, 1] = 1.0
    return flat


def rows() -> FloatArray:
    """Return the rows (17, 5) to score or explain; the caller's to change."""
    return toy_rows("rows", 17)


def differ(expected: FloatArray, found: FloatArray, tolerance: float) -> str | None:
    """Return where two arrays differ by more than the tolerance, in units of the largest; None if nowhere."""
    if found.shape != expected.shape:
        return f"shape {found.shape} in place of {expected.shape}"
    bound = tolerance * np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
    wrong = np.argwhere(~np.isclose(found, expected, rtol=0, atol=bound, equal_nan=True))
    if not len(wrong):
        return None
    first = tuple(wrong[0])
    place = ", ".join(f"{axis} {i}" for axis, i in zip(AXES, first, strict=False))
    return f"{place} gets {found[first]:.6g} in place of {expected[first]:.6g}"


def depends_on_others(values: Callable[[FloatArray], FloatArray], tolerance: float) -> str | None:
    """Return where the values of a row depend on the rows beside it or their order; None if nowhere."""
    together = values(rows())
    order = np.argsort(rows()[:, 0])
    if (reason := differ(together[order], values(rows()[order]), tolerance)) is not None:
        return f"in another order of the rows: {reason}"
    alone = np.concatenate([values(row[None]) for row in rows()])
    if (reason := differ(together, alone, tolerance)) is not None:
        return f"a row by itself: {reason}"
    return None


def leaves_a_trace(work: Callable[[], object]) -> str | None:
    """Return which global random states some work changes; None if it leaves all as they were."""
    global_states.move_on(3)  # a state that nothing would leave behind by itself
    before = global_states.states()
    work()
    changed = [name for name, state in global_states.states().items() if state != before[name]]
    return (
        f"it draws from the global random state of {' and '.join(changed)}, or seeds it" if changed else None
    )


def draws_with_others(work: Callable[[], FloatArray]) -> str | None:
    """Return where the result of some work changes with the global random states; None if nowhere."""
    first = work()
    global_states.move_on(7)  # somebody else
    return differ(first, work(), 0)
