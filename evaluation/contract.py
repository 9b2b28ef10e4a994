"""What every explainer must keep, as checks that say in plain words what is wrong and how to mend it.

`xadbench check` and `xadbench.evaluation.testing.ExplainerContract` run them. That an explainer does not look
at the truth needs no check: it is given none.
"""

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.errors import one_line
from xadbench.evaluation import global_states
from xadbench.evaluation.detectors import Detector
from xadbench.evaluation.explainers.base import METHODS, PROVIDED_BY, Explainer, missing
from xadbench.evaluation.toys import CULPRIT, Curved, Linear, Plain, toy_rows

TOLERANCE = 1e-4  # of the largest blame: detectors that compute in float32 round by the batch
NEAR, FAR = 2.0, 5.0  # standard deviations


@dataclass(frozen=True)
class Subject:
    """What is checked.

    Parameters
    ----------
    make
        Returns a new explainer, not fitted, for a `random_state`.
    tolerance
        The difference between the blame of a row alone and among others that is borne, in units of the
        largest absolute blame; 0 asks for the same bits.
    """

    make: Callable[[int], Explainer]
    tolerance: float = TOLERANCE

    def fitted(self, detector: Detector | None = None) -> Explainer:
        """Return an explainer of seed 0 that is fitted to a toy detector."""
        return self.make(0).fit(detector or Curved(), background())

    def blame(self, X: FloatArray, detector: Detector | None = None) -> FloatArray:
        """Return the blame (n, d) by such an explainer."""
        return blame_of(self.fitted(detector), X)


def background() -> FloatArray:
    """Return the rows (300, 5) that the toy detectors were fitted to."""
    return toy_rows("background", 300)


def rows() -> FloatArray:
    """Return the rows (17, 5) to explain."""
    return toy_rows("rows", 17)


def blame_of(explainer: Explainer, X: FloatArray) -> FloatArray:
    """Return what an explainer returns, as an array that a later call cannot change."""
    return np.array(explainer.explain(X))


@dataclass(frozen=True)
class Check:
    """One check: what it asks for, what finds a problem (None: there is none), and how to mend one."""

    name: str
    asks: str
    problem: Callable[[Subject], str | None]
    remedy: str


@dataclass(frozen=True)
class Finding:
    """What is wrong, and how to mend it."""

    check: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.check}: {self.problem}\n  To mend: {self.remedy}"


def run(check: Check, subject: Subject) -> Finding | None:
    """Return what a check finds; None if the explainer passes. What the explainer raises is a finding."""
    with global_states.put_back():
        try:
            problem = check.problem(subject)
        except Exception as error:  # noqa: BLE001  # whatever a plug-in raises
            problem = f"it raised {one_line(error)} ({_where(error)})"
    return None if problem is None else Finding(check.name, problem, check.remedy)


def findings(subject: Subject) -> Iterator[tuple[Check, Finding | None]]:
    """Yield each check with what it finds; where the first finds something the others make no sense."""
    for check in CHECKS:
        finding = run(check, subject)
        yield check, finding
        if finding is not None and check is CHECKS[0]:
            return


def _where(error: BaseException) -> str:
    """Return the last line outside of this package that an error came through, or its last at all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = Path(__file__).parents[1]
    theirs = [frame for frame in frames if ours not in Path(frame.filename).parents] or frames
    return f"{theirs[-1].filename}, line {theirs[-1].lineno}"


def _works(subject: Subject) -> str | None:
    made = subject.make(0)
    if lacking := [method for method in METHODS if not callable(getattr(made, method, None))]:
        return f"{type(made).__name__} has no {' and no '.join(lacking)}"
    fitted = made.fit(Curved(), background())
    if not callable(getattr(fitted, "explain", None)):
        return f"fit returned {type(fitted).__name__}, which has no explain"
    blame = fitted.explain(rows())
    if np.shape(blame) != rows().shape:
        return f"explain returned shape {np.shape(blame)} for rows of shape {rows().shape}"
    kind = np.asarray(blame).dtype
    return None if kind.kind in "fiu" else f"explain returned values of type {kind}"


def _finite(subject: Subject) -> str | None:
    flat = background()
    flat[:, 1] = 1.0  # a feature of real tables: constant
    for what, training in (("", background()), (" where a feature of the background is constant", flat)):
        blame = blame_of(subject.make(0).fit(Curved(), training), rows())
        if bad := int((~np.isfinite(blame)).sum()):
            return f"{bad} of {blame.size} values are NaN or infinite{what}"
    return None


def _leaves_its_input(subject: Subject) -> str | None:
    training, X, detector = background(), rows(), Curved()
    before = dict(vars(detector))
    subject.make(0).fit(detector, training).explain(X)
    changed = [
        name
        for name, now, then in (("the background", training, background()), ("the rows", X, rows()))
        if not np.array_equal(now, then)
    ]
    own = {name: value for name, value in vars(detector).items() if name != "forest_"}  # made on demand
    changed += ["the detector"] if own != before else []
    return f"it changed {' and '.join(changed)}" if changed else None


def _repeats_itself(subject: Subject) -> str | None:
    fitted = subject.fitted()
    first = blame_of(fitted, rows())
    if (reason := _differ(first, blame_of(fitted, rows()), 0)) is not None:
        return f"a second call of explain gives other blame: {reason}"
    if (reason := _differ(first, subject.blame(rows()), 0)) is not None:
        return f"another explainer of the same random_state gives other blame: {reason}"
    return None


def _goes_row_by_row(subject: Subject) -> str | None:
    fitted = subject.fitted()
    together = blame_of(fitted, rows())
    order = np.argsort(rows()[:, 0])
    if (reason := _differ(together[order], blame_of(fitted, rows()[order]), subject.tolerance)) is not None:
        return f"in another order of the rows: {reason}"
    alone = np.vstack([blame_of(fitted, row[None]) for row in rows()])
    if (reason := _differ(together, alone, subject.tolerance)) is not None:
        return f"a row by itself: {reason}"
    return None


def _takes_any_layout(subject: Subject) -> str | None:
    fitted = subject.fitted()
    by_columns = blame_of(fitted, np.asfortranarray(rows()))
    return _differ(blame_of(fitted, rows()), by_columns, subject.tolerance)


def _leaves_global_states(subject: Subject) -> str | None:
    global_states.move_on(3)  # a state that no explainer would leave behind by itself
    before = global_states.states()
    subject.blame(rows()[:3])
    changed = [name for name, state in global_states.states().items() if state != before[name]]
    return (
        f"it draws from the global random state of {' and '.join(changed)}, or seeds it" if changed else None
    )


def _ignores_global_states(subject: Subject) -> str | None:
    first = subject.blame(rows()[:3])
    global_states.move_on(7)  # somebody else
    return _differ(first, subject.blame(rows()[:3]), 0)


def _finds_the_culprit(subject: Subject) -> str | None:
    X = np.clip(rows(), -NEAR, NEAR)
    X[:, CULPRIT] = FAR
    blamed = subject.blame(X, Linear()).argmax(axis=1)
    wrong = np.flatnonzero(blamed != CULPRIT)
    if not len(wrong):
        return None
    return (
        f"the score is a weighted sum, and feature {CULPRIT} alone is far off, but in {len(wrong)} of "
        f"{len(X)} rows another gets the most blame; first: row {wrong[0]}, feature {blamed[wrong[0]]}"
    )


def _says_what_it_needs(subject: Subject) -> str | None:
    made = subject.make(0)
    if missing(made, Plain()) is not None:
        return None
    blame_of(made.fit(Plain(), background()), rows())
    return None


def _differ(expected: FloatArray, found: FloatArray, tolerance: float) -> str | None:
    """Return where two matrices differ by more than the tolerance; None if nowhere."""
    if found.shape != expected.shape:
        return f"shape {found.shape} in place of {expected.shape}"
    bound = tolerance * np.abs(expected).max(initial=0.0)
    wrong = np.argwhere(~(np.abs(found - expected) <= bound))
    if not len(wrong):
        return None
    row, column = wrong[0]
    return (
        f"row {row}, feature {column} gets {found[row, column]:.6g} in place of {expected[row, column]:.6g}"
    )


RANDOM = "draw from numpy.random.default_rng(random_state), where random_state is a parameter of __init__"

CHECKS = (
    Check(
        "shape",
        "fit and explain return what they should",
        _works,
        "write fit(detector, background), which returns self, and explain(X), which returns an array of "
        "numbers: a row for each row of X, a column for each feature",
    ),
    Check(
        "finite",
        "each value is a number",
        _finite,
        "return 0 where there is nothing to blame; often a standard deviation of 0 was divided by",
    ),
    Check(
        "input",
        "background, rows and detector stay as they were",
        _leaves_its_input,
        "work on a copy: X = np.array(X); set nothing on the detector, and do not fit it again",
    ),
    Check(
        "seed",
        "the same random_state gives the same blame",
        _repeats_itself,
        f"{RANDOM}, and make the generator in explain, so that a second call draws the same",
    ),
    Check(
        "rows",
        "a row's blame depends on no other row, nor on the order",
        _goes_row_by_row,
        "take means, scales and whatever is compared with from the background at fit, not from X; draw for "
        "each row from a generator of the same seed; go row by row where products round differently",
    ),
    Check(
        "layout",
        "rows may lie in memory in any order",
        _takes_any_layout,
        "start explain with X = np.ascontiguousarray(X)",
    ),
    Check(
        "global state",
        "the global random states stay as they were",
        _leaves_global_states,
        f"{RANDOM}; a library that draws from the global state needs it saved before and put back after",
    ),
    Check(
        "own randomness",
        "what others draw from the global random states changes nothing",
        _ignores_global_states,
        RANDOM,
    ),
    Check(
        "culprit",
        "the culprit of a linear score gets the most blame",
        _finds_the_culprit,
        "higher must mean more to blame: return the negative if yours falls, and blame what raises the score",
    ),
    Check(
        "requires",
        "a detector that offers its score alone can be explained, unless it says otherwise",
        _says_what_it_needs,
        "say what it needs of a detector beside decision_function by the attribute requires, such as "
        f"frozenset({{'gradient'}}); there are: {', '.join(sorted(PROVIDED_BY))}",
    ),
)
