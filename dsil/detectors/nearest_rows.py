"""What detectors by nearest rows share: the rows, and their index, which is made again, not saved."""

from typing import Any

from sklearn.neighbors import NearestNeighbors

from xadbench.datasets.common.arrays import FloatArray

from .base import Detector


class NearestRows(Detector):
    """A detector that keeps `rows_` and finds the `n_neighbors` nearest, or all where there are fewer."""

    n_neighbors: int
    rows_: FloatArray
    neighbours_: NearestNeighbors

    def _keep(self, rows: FloatArray) -> None:
        self.rows_ = rows
        self.neighbours_ = NearestNeighbors(n_neighbors=min(self.n_neighbors, len(rows))).fit(rows)

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        del state["neighbours_"]
        return state

    def _restore(self, state: dict[str, Any]) -> None:
        super()._restore(state)
        self._keep(self.rows_)
