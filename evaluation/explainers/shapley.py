"""Shapley values by KernelSHAP."""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.checks import matrix
from xadbench.datasets.errors import InputError
from xadbench.datasets.streams import stream
from xadbench.evaluation.detectors import Detector

from .base import row_by_row

MIN_BACKGROUND = 100
ROWS_PER_BACKGROUND_ROW = 50  # 2 % of the rows


class KernelSHAP:
    r"""Explainer by Shapley values of the score, estimated from sampled coalitions of features.

    The blame is the signed Shapley value: what a feature adds to the score, against the background. A feature
    that makes the row look normal comes last. The values of a row sum to f(x) minus the background's mean
    score.

    Parameters
    ----------
    alpha
        Coalitions per feature, at least 1: round(alpha d) calls of the detector on the whole background.
        The paper took 1.5 to 2. See the notes before going below 2.
    random_state
        Seed of the background's rows and of the coalitions, at least 0.

    Notes
    -----
    Source: Lundberg & Lee 2017, through `shap.KernelExplainer` without L1 regularisation; the settings are
    those of Vincent et al. 2025: a background of 100 rows or 2 % of them, whichever is more.

    Coalitions come in complementary pairs, whose two equations have the same left side up to the sign. So
    round(alpha d) coalitions give about alpha d / 2 equations for d - 1 unknowns: just enough at alpha = 2,
    with no margin; below, the solution is arbitrary for all but the smallest d. Take alpha = 4 to give the
    method a fair chance. Where shap finds the system singular it takes the smallest least-squares solution;
    its warning is silenced, since it would come once a row.

    shap draws from NumPy's global random state. It is seeded alike for every row and put back afterwards; as
    with any use of global state, not in several threads at once.
    """

    requires: frozenset[str] = frozenset()
    version = 1

    def __init__(self, alpha: float = 2.0, random_state: int = 0) -> None:
        if not alpha >= 1:
            raise InputError(f"alpha is {alpha!r}, expected a number of at least 1")
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Sample the background and score it."""
        rows = matrix(background)
        self._n_features = rows.shape[1]
        self._explainer = _kernel_explainer(detector.decision_function, self._sample(rows))
        self._coalitions = int(stream(self.random_state, "kernel_shap", "coalitions").integers(2**32))
        return self

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the signed Shapley values (n, d) of rows (n, d)."""
        rows = matrix(X, n_columns=self._n_features)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Linear regression equation is singular")
            return row_by_row(self._explain_row, rows)

    def _explain_row(self, row: FloatArray) -> FloatArray:
        with seeded_numpy(self._coalitions):
            values: FloatArray = self._explainer.shap_values(
                row[None, :], nsamples=round(self.alpha * self._n_features), l1_reg=False, silent=True
            )[0]
        return values

    def _sample(self, rows: FloatArray) -> FloatArray:
        size = min(len(rows), max(MIN_BACKGROUND, len(rows) // ROWS_PER_BACKGROUND_ROW))
        rng = stream(self.random_state, "kernel_shap", "background")
        return rows[rng.choice(len(rows), size, replace=False)]


def _kernel_explainer(score: Callable[[FloatArray], FloatArray], background: FloatArray) -> Any:
    with warnings.catch_warnings():
        # shap's plots, which it imports and we do not use, call what matplotlib is about to deprecate.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        from shap import KernelExplainer  # noqa: PLC0415  # shap takes two seconds to import

    with quiet_logger("shap"):  # it advises a smaller background than the paper's
        return KernelExplainer(score, background)


@contextmanager
def seeded_numpy(seed: int) -> Iterator[None]:
    """Seed NumPy's global random state within the scope, and put it back as it was."""
    state = np.random.get_state()  # noqa: NPY002  # the scoped guard for code that knows no generator
    np.random.seed(seed)  # noqa: NPY002  # as above
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002  # as above


@contextmanager
def quiet_logger(name: str) -> Iterator[None]:
    """Silence a logger's warnings within the scope."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
