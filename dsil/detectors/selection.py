"""Which rows DSIL keeps, given their scores and how many."""

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from xadbench.datasets.common.arrays import FloatArray, IntArray

Selection = Callable[[FloatArray, int, np.random.Generator], IntArray]


def lowest(scores: FloatArray, n_rows: int, rng: np.random.Generator) -> IntArray:  # noqa: ARG001  # Selection
    """Return the `n_rows` rows, in order, with the lowest of the scores (n,); among ties the earlier rows."""
    return np.sort(np.argsort(scores, kind="stable")[:n_rows])


def by_rank(scores: FloatArray, n_rows: int, rng: np.random.Generator) -> IntArray:
    """Return `n_rows` rows, in order, drawn one after the other without replacement.

    The chance of a row in each draw is proportional to n + 1 minus its rank, so to n for the lowest score and
    1 for the highest; ties share their mean rank. The paper gives no formula. Ranks, unlike exp(-score), do
    not depend on the unit of a score or on how far out the outliers lie, and have no parameter. When half of
    many rows are kept, the chance to be among them is 0.80 for the lowest, 0.55 for the middle, and near 0
    for the highest score.

    Notes
    -----
    Sources: linear ranking, Baker 1985, "Adaptive selection methods for genetic algorithms"; drawing without
    replacement, Efraimidis & Spirakis 2006, "Weighted random sampling with a reservoir".
    """
    chances = len(scores) + 1 - rankdata(scores)
    return np.sort(rng.choice(len(scores), n_rows, replace=False, p=chances / chances.sum()))


SELECTIONS: dict[str, Selection] = {"deterministic": lowest, "probabilistic": by_rank}
