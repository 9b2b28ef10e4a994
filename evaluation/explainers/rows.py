"""What explainers that ask a library share: one row at a time, always with the same random numbers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar, Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream
from xadbench.evaluation.components.protocols import Detector, missing

from .base import row_by_row


@contextmanager
def seeded_numpy(seed: int) -> Iterator[None]:
    """Seed NumPy's global random state within the scope, and put it back as it was."""
    state = np.random.get_state()  # noqa: NPY002  # the scoped guard for code that knows no generator
    np.random.seed(seed)  # noqa: NPY002  # as above
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002  # as above


class RowExplainer(ABC):
    """Explainer that a library's method makes: `_prepare` takes the detector, `_explain_row` names.

    The libraries draw from global random states. Both methods run with these seeded alike for every row, and
    put back afterwards; as with any use of global state, not in several threads at once.
    """

    requires: frozenset[str] = frozenset()
    version: int = 1
    random_state: int
    stream_name: ClassVar[tuple[str, str]]

    @staticmethod
    def seeded(seed: int) -> AbstractContextManager[None]:
        """Seed what the library draws from within the scope, and put it back as it was."""
        return seeded_numpy(seed)

    @one_thread()
    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Take a fitted detector and its background (b, d); `InputError` if the detector lacks something."""
        if reason := missing(self, detector):
            raise InputError(reason)
        rows = matrix(background, "background", min_rows=1)
        self._n_features = rows.shape[1]
        self._seed = int(stream(self.random_state, *self.stream_name).integers(2**32))
        with self.seeded(self._seed):
            self._prepare(detector, rows)
        return self

    @one_thread()
    def explain(self, X: FloatArray) -> FloatArray:
        """Return the attributions (n, d) of rows (n, d); what it means is the class's to say."""
        return row_by_row(self._explain_seeded, matrix(X, n_columns=self._n_features))

    def _explain_seeded(self, row: FloatArray) -> FloatArray:
        with self.seeded(self._seed):
            return self._explain_row(row)

    @abstractmethod
    def _prepare(self, detector: Any, background: FloatArray) -> None:
        """Keep what the rows' explanations need; the detector has what `requires` says."""

    @abstractmethod
    def _explain_row(self, row: FloatArray) -> FloatArray:
        """Return the attributions (d,) of one row (d,)."""
