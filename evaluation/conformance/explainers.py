"""What every explainer must keep. That it does not look at the truth needs no check: it is given none."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.values import aligned
from xadbench.evaluation.components.protocols import (
    EXPLAINER_METHODS,
    PROVIDED_BY,
    Detector,
    Explainer,
    missing,
)

from .checks import (
    RANDOM,
    TOLERANCE,
    Check,
    background,
    depends_on_others,
    differ,
    draws_with_others,
    leaves_a_trace,
    rows,
    with_constant,
)
from .toy_detectors import DECISIVE, Curved, Linear, Plain

NEAR, FAR = 2.0, 5.0  # standard deviations


@dataclass(frozen=True)
class Subject:
    """What is checked.

    Parameters
    ----------
    make
        Returns a new explainer, not fitted, for a `random_state`.
    tolerance
        The difference between the attribution of a row alone and among others that is tolerated, in units
        of the largest absolute attributions; 0 asks for the same bits.
    """

    make: Callable[[int], Explainer]
    tolerance: float = TOLERANCE

    def fitted(self, detector: Detector | None = None) -> Explainer:
        """Return an explainer of seed 0 that is fitted to a toy detector."""
        return self.make(0).fit(detector or Curved(), background())

    def attributions(self, X: FloatArray, detector: Detector | None = None) -> FloatArray:
        """Return the attributions (n, d) by such an explainer."""
        return attributions_of(self.fitted(detector), X)


def attributions_of(explainer: Explainer, X: FloatArray) -> FloatArray:
    """Return what an explainer returns, as an array that a later call cannot change."""
    return np.array(aligned(explainer.explain(X), "what explain returns"))


def _works(subject: Subject) -> str | None:
    made = subject.make(0)
    if lacking := [method for method in EXPLAINER_METHODS if not callable(getattr(made, method, None))]:
        return f"{type(made).__name__} has no {' and no '.join(lacking)}"
    fitted = made.fit(Curved(), background())
    if not callable(getattr(fitted, "explain", None)):
        return f"fit returned {type(fitted).__name__}, which has no explain"
    attributions = fitted.explain(rows())
    if np.shape(attributions) != rows().shape:
        return f"explain returned shape {np.shape(attributions)} for rows of shape {rows().shape}"
    kind = np.asarray(attributions).dtype
    return None if kind.kind in "fiu" else f"explain returned values of type {kind}"


def _finite(subject: Subject) -> str | None:
    constant = " where a feature of the background is constant"
    for what, training in (("", background()), (constant, with_constant())):
        attributions = attributions_of(subject.make(0).fit(Curved(), training), rows())
        if bad := int((~np.isfinite(attributions)).sum()):
            return f"{bad} of {attributions.size} values are NaN or infinite{what}"
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
    changed += ["the detector"] if vars(detector) != before else []
    return f"it changed {' and '.join(changed)}" if changed else None


def _repeats_itself(subject: Subject) -> str | None:
    fitted = subject.fitted()
    first = attributions_of(fitted, rows())
    if (reason := differ(first, attributions_of(fitted, rows()), 0)) is not None:
        return f"a second call of explain gives other attributions: {reason}"
    if (reason := differ(first, subject.attributions(rows()), 0)) is not None:
        return f"another explainer of the same random_state gives other attributions: {reason}"
    return None


def _goes_row_by_row(subject: Subject) -> str | None:
    fitted = subject.fitted()
    return depends_on_others(lambda X: attributions_of(fitted, X), subject.tolerance)


def _takes_any_layout(subject: Subject) -> str | None:
    fitted = subject.fitted()
    by_columns = attributions_of(fitted, np.asfortranarray(rows()))
    return differ(attributions_of(fitted, rows()), by_columns, subject.tolerance)


def _leaves_global_states(subject: Subject) -> str | None:
    return leaves_a_trace(lambda: subject.attributions(rows()[:3]))


def _ignores_global_states(subject: Subject) -> str | None:
    return draws_with_others(lambda: subject.attributions(rows()[:3]))


def _finds_the_decisive_feature(subject: Subject) -> str | None:
    X = np.clip(rows(), -NEAR, NEAR)
    X[:, DECISIVE] = FAR
    top = subject.attributions(X, Linear()).argmax(axis=1)
    wrong = np.flatnonzero(top != DECISIVE)
    if not len(wrong):
        return None
    return (
        f"the score is a weighted sum, and feature {DECISIVE} alone is far off, but in {len(wrong)} of "
        f"{len(X)} rows another gets the highest attribution; first: row {wrong[0]}, feature {top[wrong[0]]}"
    )


def _says_what_it_needs(subject: Subject) -> str | None:
    made = subject.make(0)
    if missing(made, Plain()) is not None:
        return None
    attributions_of(made.fit(Plain(), background()), rows())
    return None


CHECKS: tuple[Check[Subject], ...] = (
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
        "return 0 where there is nothing responsible; often a standard deviation of 0 was divided by",
    ),
    Check(
        "input",
        "background, rows and detector stay as they were",
        _leaves_its_input,
        "work on a copy: X = np.array(X); set nothing on the detector, and do not fit it again",
    ),
    Check(
        "seed",
        "the same random_state gives the same attributions",
        _repeats_itself,
        f"{RANDOM}, and make the generator in explain, so that a second call draws the same",
    ),
    Check(
        "rows",
        "a row's attributions depend on no other row, nor on the order",
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
        "ground_truth",
        "the ground-truth feature of a linear score gets the highest attribution",
        _finds_the_decisive_feature,
        "higher must mean more responsible for a high score; if yours means less, return the negative",
    ),
    Check(
        "requires",
        "a detector that offers its score alone can be explained, unless it says otherwise",
        _says_what_it_needs,
        "say what it needs of a detector beside decision_function by the attribute requires, such as "
        f"frozenset({{'gradient'}}); there are: {', '.join(sorted(PROVIDED_BY))}",
    ),
)
