"""What every detector must keep. That it does not look at the labels needs no check: it is given none."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from warnings import catch_warnings, simplefilter

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.values import aligned
from xadbench.evaluation.components.protocols import DETECTOR_METHODS, Detector

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
from .toy_detectors import toy_rows

FAR = 8.0  # standard deviations


@dataclass(frozen=True)
class Subject:
    """What is checked.

    Parameters
    ----------
    make
        Returns a new detector, not fitted, for a `random_state`.
    tolerance
        The difference between the score of a row alone and among others that is tolerated, in units of the
        largest absolute score; 0 asks for the same bits.
    """

    make: Callable[[int], Detector]
    tolerance: float = TOLERANCE

    @cached_property
    def fitted(self) -> Detector:
        """One detector of seed 0 that is fitted to the toy rows: fitting may take long."""
        return self._fit()

    def scores(self, X: FloatArray) -> FloatArray:
        """Return the scores (n,) by that detector."""
        return scores_of(self.fitted, X)

    def scores_anew(self, X: FloatArray, training: FloatArray | None = None) -> FloatArray:
        """Return the scores (n,) by another detector of seed 0."""
        return scores_of(self._fit(training), X)

    def _fit(self, training: FloatArray | None = None) -> Detector:
        return self.make(0).fit(background() if training is None else training)


def scores_of(detector: Detector, X: FloatArray) -> FloatArray:
    """Return what a detector returns, as an array that a later call cannot change."""
    return np.array(aligned(detector.decision_function(X), "what decision_function returns"))


def far_rows() -> FloatArray:
    """Return rows (4, 5) that lie far off in each feature."""
    return FAR * np.sign(toy_rows("far", 4))


def _works(subject: Subject) -> str | None:
    made = subject.make(0)
    if lacking := [method for method in DETECTOR_METHODS if not callable(getattr(made, method, None))]:
        return f"{type(made).__name__} has no {' and no '.join(lacking)}"
    fitted = made.fit(background())
    if fitted is not made:
        return f"fit returned {type(fitted).__name__} in place of the detector itself"
    scores = fitted.decision_function(rows())
    if np.shape(scores) != (len(rows()),):
        return f"decision_function returned shape {np.shape(scores)} for rows of shape {rows().shape}"
    kind = np.asarray(scores).dtype
    return None if kind.kind in "fiu" else f"decision_function returned values of type {kind}"


def _finite(subject: Subject) -> str | None:
    cases = {"": subject.scores(rows()), " of rows far off": subject.scores(far_rows())}
    with catch_warnings():
        simplefilter("ignore")  # it may say that a feature is constant
        scores = subject.scores_anew(rows(), with_constant())
    cases[" where a feature of the training rows is constant"] = scores
    for what, scores in cases.items():
        if bad := int((~np.isfinite(scores)).sum()):
            return f"{bad} of {scores.size} scores are NaN or infinite{what}"
    return None


def _leaves_its_input(subject: Subject) -> str | None:
    training, X = background(), rows()
    subject.make(0).fit(training).decision_function(X)
    pairs = (("the training rows", training, background()), ("the rows to score", X, rows()))
    changed = [name for name, now, then in pairs if not np.array_equal(now, then)]
    return f"it changed {' and '.join(changed)}" if changed else None


def _repeats_itself(subject: Subject) -> str | None:
    first = subject.scores(rows())
    if (reason := differ(first, subject.scores(rows()), 0)) is not None:
        return f"a second call of decision_function gives other scores: {reason}"
    if (reason := differ(first, subject.scores_anew(rows()), 0)) is not None:
        return f"another detector of the same random_state gives other scores: {reason}"
    return None


def _goes_row_by_row(subject: Subject) -> str | None:
    return depends_on_others(subject.scores, subject.tolerance)


def _takes_any_layout(subject: Subject) -> str | None:
    by_columns = subject.scores(np.asfortranarray(rows()))
    return differ(subject.scores(rows()), by_columns, subject.tolerance)


def _leaves_global_states(subject: Subject) -> str | None:
    return leaves_a_trace(lambda: subject.scores_anew(rows()))


def _ignores_global_states(subject: Subject) -> str | None:
    return draws_with_others(lambda: subject.scores_anew(rows()))


def _scores_anomalies_higher(subject: Subject) -> str | None:
    ordinary, far = float(np.median(subject.scores(rows()))), subject.scores(far_rows())
    low = np.flatnonzero(~(far > ordinary))
    if not len(low):
        return None
    return (
        f"{len(low)} of {len(far)} rows that lie {FAR:g} standard deviations off in each feature score no "
        f"higher than the median of ordinary rows, {ordinary:.6g}; first: {far[low[0]]:.6g}"
    )


def _refuses_bad_input(subject: Subject) -> str | None:
    with suppress(Exception):
        subject.scores(rows()[:, 1:])
        n_features = rows().shape[1]
        return f"rows of {n_features - 1} features are scored by a detector fitted to {n_features}"
    with suppress(Exception):
        scores_of(subject.make(0), rows())
        return "rows are scored before fit"
    return None


CHECKS: tuple[Check[Subject], ...] = (
    Check(
        "shape",
        "fit and decision_function return what they should",
        _works,
        "write fit(X), which returns self, and decision_function(X), which returns an array of numbers: a "
        "score for each row of X",
    ),
    Check(
        "finite",
        "each score is a number",
        _finite,
        "often a standard deviation of 0 was divided by, or the logarithm of 0 taken: bound what may be 0",
    ),
    Check(
        "input",
        "training rows and rows to score stay as they were",
        _leaves_its_input,
        "work on a copy: X = np.array(X)",
    ),
    Check(
        "seed",
        "the same random_state gives the same scores",
        _repeats_itself,
        f"{RANDOM}, and make the generator in fit and in decision_function, so that a second call draws the "
        "same",
    ),
    Check(
        "rows",
        "a row's score depends on no other row, nor on the order",
        _goes_row_by_row,
        "take means, scales, ranks and neighbours from the training rows at fit, not from X; draw for each "
        "row from a generator of the same seed",
    ),
    Check(
        "layout",
        "rows may lie in memory in any order",
        _takes_any_layout,
        "start decision_function with X = np.ascontiguousarray(X)",
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
        "anomalies",
        "rows far from all training rows score higher than ordinary ones",
        _scores_anomalies_higher,
        "higher must mean more anomalous: return the negative if yours falls, as scikit-learn's do",
    ),
    Check(
        "bad input",
        "rows that cannot be scored are refused",
        _refuses_bad_input,
        "raise ValueError in decision_function where X has another number of columns than at fit, and "
        "sklearn.exceptions.NotFittedError before fit",
    ),
)
