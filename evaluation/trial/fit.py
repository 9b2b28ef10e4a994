"""A detector fitted to a prepared table, and what it says of the table's rows."""

import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from xadbench.datasets import LabelledTable, standardise
from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.checks import finite_scores
from xadbench.datasets.common.errors import NotApplicable
from xadbench.datasets.common.process_state import preserved
from xadbench.evaluation import metrics
from xadbench.evaluation.components.protocols import Detector
from xadbench.evaluation.detectors import make_detector
from xadbench.evaluation.suite.controls import DETECTORS, ORACLE, control_detector
from xadbench.evaluation.suite.spec import Component
from xadbench.evaluation.suite.tables import Source


@dataclass(frozen=True, eq=False)
class Fitted:
    """A detector fitted to a prepared table, and what it says of the table's rows."""

    detector: Detector
    table: LabelledTable
    scores: FloatArray
    seconds: float
    training: LabelledTable | None = None  # prepared likewise; None where it is the table

    def __post_init__(self) -> None:
        """Check the scores; `InputError` if they are not one finite number a row."""
        scores = finite_scores(self.scores, self.table.n_rows, type(self.detector).__name__)
        object.__setattr__(self, "scores", scores)

    @property
    def background(self) -> FloatArray:
        """The rows (b, d) that the detector was trained on: a copy of its own for each who asks."""
        return own_copy((self.training or self.table).X)

    @property
    def flag_probability(self) -> FloatArray:
        """The probability (n_rows,) that a row is among the n highest-scored, n the true number of anomalies.

        1 above the cut and 0 below. Rows tied at the cut share the room that is left, as if a random order
        decided: `f1_at_n` is the mean over the anomalies.
        """
        n_flagged = int(self.table.y.sum())
        if n_flagged == 0:
            return np.zeros(len(self.scores))
        cut = np.partition(self.scores, -n_flagged)[-n_flagged]
        above, tied = self.scores > cut, self.scores == cut
        probability: FloatArray = above + tied * ((n_flagged - above.sum()) / tied.sum())
        return probability

    def rows_to_explain(self) -> IntArray:
        """Return the rows that some scope needs: all anomalies, and all rows that may be flagged."""
        return np.flatnonzero(self.table.y | (self.flag_probability > 0))

    def quality(self) -> dict[str, float]:
        """Return the detector's AUC-ROC, average precision and F1 at n."""
        return {name: function(self.scores, self.table.y) for name, function in metrics.DETECTION.items()}

    def iteration_auc_roc(self) -> list[float] | None:
        """Return the AUC-ROC after each iteration, where the detector keeps its scores of all rows."""
        kept = getattr(self.detector, "iteration_scores_", None)
        if not isinstance(kept, np.ndarray) or kept.shape[1:] != self.scores.shape or self.training:
            return None
        return [metrics.auc_roc(scores, self.table.y) for scores in kept]


def prepared(source: Source) -> tuple[LabelledTable, LabelledTable | None]:
    """Return the table standardised on the training rows, and these where they are others."""
    training = None if source.training is None else standardise(source.training)
    return standardise(source.table, source.training), training


def fit(source: Source, component: Component) -> Fitted | None:
    """Fit a detector to all rows of the standardised table, or its training rows, without its labels.

    None for a control where the network is not known.

    Raises
    ------
    NotApplicable
        For the oracle, if the posterior of the table's kinds cannot be computed.
    """
    from xadbench.dsil.detectors.progress import silent_fits  # noqa: PLC0415  # with it comes torch

    table, training = prepared(source)
    detector = _detector(source, component)
    if detector is None:
        return None
    start = time.perf_counter()
    # A run shows its own progress; what a fit leaves behind, such as NumPy's errors, is not for what follows.
    with silent_fits(), preserved():
        detector.fit(own_copy((training or table).X))
    seconds = time.perf_counter() - start
    return Fitted(detector, table, np.array(detector.decision_function(own_copy(table.X))), seconds, training)


def own_copy(X: FloatArray) -> FloatArray:
    """Return a read-only copy in the same layout: torch shares an array's memory, and heeds no flag of it."""
    copy = np.array(X)
    copy.flags.writeable = False
    return copy


def _detector(source: Source, component: Component) -> Detector | None:
    if component.name in DETECTORS:
        return control_detector(component.name, source)
    return make_detector(component.made_from, random_state=source.seed, **component.params)


def ceiling(source: Source) -> dict[str, float]:
    """Return the AUC-ROC that no detector can beat; NaN where the oracle cannot answer."""
    if source not in _CEILINGS:
        try:
            fitted = fit(source, Component(name=ORACLE))
        except NotApplicable:
            fitted = None
        _CEILINGS[source] = float("nan") if fitted is None else fitted.quality()["auc_roc"]
    return {"oracle_auc_roc": _CEILINGS[source]}


_CEILINGS: WeakKeyDictionary[Source, float] = WeakKeyDictionary()  # they outlive no table
