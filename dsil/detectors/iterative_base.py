"""What DSIL and the weighted loss share: a base detector, trained round after round."""

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import OutlierMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import InputError, find
from xadbench.dsil.networks.seeding import globally_seeded

from .base import DegenerateWarning, Detector, Interrupted, InterruptWarning
from .dte import DTE
from .progress import FitProgress, silent_fits


def _is_differentiable(detector: "Iterated") -> bool:
    return hasattr(detector._base(), "score_tensor")  # noqa: SLF001  # a part of the class below


def _has_module(detector: "Iterated") -> bool:
    return hasattr(detector._base(), "score_module")  # noqa: SLF001  # as above


def _is_quick_with_changes(detector: "Iterated") -> bool:
    return hasattr(getattr(detector, "detector_", None), "score_changes")  # it depends on the rows of the fit


class Iterated(Detector):
    """Detector that trains a copy of another, its base, several times.

    The base is any detector with `fit(X)` and `decision_function(X)`, higher = more anomalous, as in PyOD.
    Scikit-learn's own outlier detectors score the other way round, and so their scores are negated.

    Attributes
    ----------
    detector_
        The trained copy of the base.
    history_ : DataFrame
        A row for each round.
    """

    unit: ClassVar[str]  # what a round is called
    base: Any
    epochs: str
    random_state: int
    verbose: bool | None
    detector_: Any
    history_: pd.DataFrame

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Train on rows (n, d), n at least 2.

        Labels, (n,), 1 for anomalous and 0 for normal, change no score; see `history_` for what they tell.
        Labels of other values tell nothing. An interrupt (Ctrl-C) goes on to the caller, and leaves the
        detector as the last finished round made it, ready for use; as before the fit, if none was finished.

        Raises
        ------
        InputError
            For bad rows, labels or parameters, and where the base refuses the rows. It leaves the detector as
            it was before.

        Warns
        -----
        DegenerateWarning
            If columns are constant, all rows are equal, or the base sees another fault in them.
        InterruptWarning
            If an interrupt leaves finished rounds.
        """
        self._warn(self._fit(X, y))  # type: ignore[arg-type]  # which goes to _learn as it is
        return self

    def _learn(self, rows: FloatArray, y: object = None) -> None:
        at_least(0, random_state=self.random_state)
        anomalies = anomalies_among(y, len(rows))
        outcomes: list[dict[str, float]] = []
        finished: dict[str, Any] | None = None
        with FitProgress(self.unit, self._n_rounds(), verbose=self.verbose) as progress:
            try:
                for number, outcome in enumerate(self._rounds(rows, anomalies), start=1):
                    outcomes.append({self.unit: number, **outcome})
                    self.history_ = pd.DataFrame(outcomes)
                    finished = vars(self).copy()
                    progress.advance(number, **outcome)
            except KeyboardInterrupt:
                if finished is None:
                    raise
                self.__dict__ = finished
                raise Interrupted(self.unit, len(self.history_), self._n_rounds()) from None
            except InputError:
                raise
            except ValueError as error:
                where = f"{type(self._base()).__name__}, in {self.unit} {len(outcomes) + 1}"
                raise InputError(f"{where}: {error}") from error

    def _score_training_rows(self, rows: FloatArray) -> Self:  # noqa: ARG002  # as in Detector
        """Do nothing: the rounds have taken the threshold from scores that need not be made again."""
        return self

    def _score_round(self, rows: FloatArray) -> None:
        """Take the threshold from the scores of the training rows."""
        super()._score_training_rows(rows)

    @abstractmethod
    def _n_rounds(self) -> int:
        """Return how many rounds there will be; `InputError` if the parameter is out of range."""

    @abstractmethod
    def _rounds(self, rows: FloatArray, anomalies: BoolArray | None) -> Iterator[dict[str, float]]:
        """Train round after round; yield its row of the history when all attributes are those of a round."""

    @available_if(_is_differentiable)  # type: ignore[untyped-decorator]  # scikit-learn ships no types
    def score_tensor(self, x: Tensor) -> Tensor:
        """Return the scores (n,) of rows (n, d), differentiable by `x`; only where the base offers it."""
        check_is_fitted(self)
        scores: Tensor = self.detector_.score_tensor(x)
        return scores

    @available_if(_is_quick_with_changes)  # type: ignore[untyped-decorator]  # as above
    def score_changes(self, rows: FloatArray, features: IntArray, values: FloatArray) -> FloatArray:
        """Return the scores of rows and of changes of them, as of `DTE`; only where the base offers it."""
        check_is_fitted(self)
        scores: FloatArray = self.detector_.score_changes(rows, features, values)
        return scores

    @available_if(_has_module)  # type: ignore[untyped-decorator]  # as above
    def score_module(self) -> nn.Module:
        """Return the scores (n,) of rows (n, d) as a torch module, float64; only where the base offers it."""
        check_is_fitted(self)
        module: nn.Module = self.detector_.score_module()
        return module

    def _scores(self, rows: FloatArray) -> FloatArray:
        return scores_of(self.detector_, rows, self.random_state)

    def _degeneracies(self, rows: FloatArray) -> Iterator[str]:
        base = self._base()
        own = isinstance(base, Detector)
        yield from base._degeneracies(rows) if own else super()._degeneracies(rows)  # noqa: SLF001  # one of us

    def _base(self) -> Any:
        return DTE() if self.base is None else self.base

    def _new_base(self, random_state: int) -> Any:
        """Return an unfitted copy of the base, with its share of epochs and a random state if it has them."""
        share = find("epochs", self.epochs, EPOCHS)
        settings = {"random_state": random_state} | ({"verbose": False} if self.verbose else {})
        with guarded(self._base(), random_state):
            base = new_base(self._base(), settings)
            epochs = _params(base).get("epochs")
            if not isinstance(epochs, int) or not hasattr(base, "partial_fit"):
                return base
            return new_base(base, {"epochs": share(epochs, self._n_rounds())})


def guarded(detector: Any, random_state: int) -> AbstractContextManager[None]:
    """Return a guard for work of a detector that is not ours: it may draw from the global generators."""
    return nullcontext() if isinstance(detector, Detector) else globally_seeded(random_state)


def fit_base(detector: Any, rows: FloatArray, random_state: int, *, method: str = "fit", **more: Any) -> None:
    """Fit a base, by `fit` or `partial_fit`, without the warnings that the fit of the whole will give."""
    with silent_fits(), guarded(detector, random_state), warnings.catch_warnings():
        for own in (DegenerateWarning, InterruptWarning):
            warnings.simplefilter("ignore", own)
        getattr(detector, method)(rows, **more)


def new_base(base: Any, settings: Mapping[str, Any]) -> Any:
    """Return an unfitted copy of a detector, with those of the settings that are parameters of it.

    Raises
    ------
    InputError
        If it is a class, or has no `fit` or no `decision_function`.
    """
    if isinstance(base, type) or not (hasattr(base, "fit") and hasattr(base, "decision_function")):
        what = base.__name__ if isinstance(base, type) else type(base).__name__
        raise InputError(f"base is {what}, expected an unfitted detector with fit and decision_function")
    copy = _unfitted(base)
    known = {name: value for name, value in settings.items() if name in _params(copy)}
    # Copied once more, since some constructors work with their parameters.
    return _unfitted(copy.set_params(**known)) if known else copy


def scores_of(detector: Any, rows: FloatArray, random_state: int) -> FloatArray:
    """Return a fitted base's scores (n,), higher = more anomalous; `InputError` if they are not finite."""
    with guarded(detector, random_state):
        scores = np.asarray(detector.decision_function(rows), dtype=np.float64)
    if scores.shape != (len(rows),) or not np.isfinite(scores).all():
        raise InputError(f"the scores of {type(detector).__name__} are not one finite number a row")
    return -scores if isinstance(detector, OutlierMixin) else scores


def _unfitted(base: Any) -> Any:
    try:
        return clone(base)
    except (TypeError, RuntimeError):  # not scikit-learn's kind, or with a constructor that alters parameters
        return deepcopy(base)


def _params(base: Any) -> dict[str, Any]:
    return base.get_params(deep=False) if hasattr(base, "set_params") else {}


def _shared(epochs: int, n_rounds: int) -> int:
    if epochs < n_rounds:
        raise InputError(f"{epochs} epochs cannot be shared among {n_rounds} rounds of training")
    return epochs // n_rounds


def _full(epochs: int, n_rounds: int) -> int:  # noqa: ARG001  # as the other
    return epochs


EPOCHS: dict[str, Callable[[int, int], int]] = {"shared": _shared, "full": _full}


def anomalies_among(y: object, n_rows: int) -> BoolArray | None:
    """Return which rows `y` calls anomalous, (n,) bool; None for None or values other than 0 and 1."""
    labels = np.asarray(y)
    if y is None or not np.isin(labels, [0, 1]).all():
        return None
    if labels.shape != (n_rows,):
        raise InputError(f"y has shape {labels.shape}, expected ({n_rows},): a label for each row of X")
    return labels.astype(bool)


def last_loss(detector: Any) -> float:
    """Return the mean loss of the last epoch of a detector's `history_`; NaN where it has none."""
    history = getattr(detector, "history_", None)
    if not isinstance(history, pd.DataFrame) or "loss" not in history or history.empty:
        return np.nan
    return float(history["loss"].iloc[-1])


def mean_over(anomalies: BoolArray | None, values: FloatArray | BoolArray) -> float:
    """Return the mean of the values (n,) of the anomalies; NaN if these are unknown, or none."""
    return float(values[anomalies].mean()) if anomalies is not None and anomalies.any() else np.nan
