"""The rows that stand for the training data where all of them would cost too much."""

from xadbench.datasets.arrays import FloatArray
from xadbench.datasets.streams import stream

MIN_BACKGROUND = 100
ROWS_PER_BACKGROUND_ROW = 50  # 2 % of the rows


def background_sample(rows: FloatArray, seed: int, name: str) -> FloatArray:
    """Return 100 rows or 2 % of them, whichever is more, drawn without replacement.

    The setting of Vincent et al. 2025 for KernelSHAP; `name` is the explainer's, for a stream of its own.
    """
    size = min(len(rows), max(MIN_BACKGROUND, len(rows) // ROWS_PER_BACKGROUND_ROW))
    rng = stream(seed, name, "background")
    return rows[rng.choice(len(rows), size, replace=False)]
