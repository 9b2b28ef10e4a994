"""Strengths that are given as a goal: how well the oracle shall detect the anomalies."""

from bisect import bisect_left
from collections.abc import Callable
from functools import cache, lru_cache, partial
from itertools import pairwise
from typing import NamedTuple

from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.table import LabelledTable

from .anomalies.registry import AnomalyKind, Calibrated
from .oracle.network_density import NetworkDensity
from .recipe import Recipe
from .simulation import network_of, simulate

ROWS, RATIO = 2000, 0.25  # of a trial table: the standard error of an AUC of 0.95 is 0.007
# 0.01 to 99.9 by the third significant digit; through text, so that each is the float of its decimals.
CANDIDATES = tuple(float(f"{digits}e{power}") for power in range(-4, 0) for digits in range(100, 1000))
COARSE = (*range(0, len(CANDIDATES), 300), len(CANDIDATES) - 1)


class Calibration(NamedTuple):
    """What a goal came to: the strength found for a kind, the AUC asked for and the one reached."""

    kind: str
    strength: float
    target: float
    reached: float


@lru_cache(maxsize=64)
def resolve(recipe: Recipe, seed: int = 0) -> tuple[Recipe, tuple[Calibration, ...]]:
    """Return the recipe with a number in place of every strength that is given as an AUC of the oracle.

    Each is found by `find_strength` on tables of 2,000 rows that have the same network and streams as
    the recipe's own table of that seed, and a quarter of anomalies of that kind alone. The AUC is the
    oracle's for these against the normal rows; at 0.95 its standard error is 0.007.

    Strengths have three significant digits, and the comparisons that find them count pairs of rows: so the
    last bits of a logarithm, which differ between builds of NumPy, do not reach the data.
    """
    kinds: list[AnomalyKind] = list(recipe.anomalies)
    found = []
    for i, kind in enumerate(kinds):
        goal = getattr(kind, "strength", None)
        if isinstance(goal, Calibrated):
            auc_of = partial(_auc_at, kind, recipe, seed)
            strength, reached = find_strength(auc_of, goal.oracle_auc)
            kinds[i] = _with_strength(kind, strength)
            found.append(Calibration(kind.kind, strength, goal.oracle_auc, reached))
    return recipe.model_copy(update={"anomalies": tuple(kinds)}), tuple(found)


def find_strength(auc_of: Callable[[float], float], target: float) -> tuple[float, float]:
    """Return the strength, from 0.01 to 99.9 with three digits, that reaches the AUC, and what it reaches.

    Three strengths a decade are tried from below until one misses the target and the next one reaches it.
    Bisection between these two finds the least that reaches it, provided that the AUC does not fall there.
    If all strengths tried miss the target, or all reach it, the AUC nearest to it has to do: that of the
    least strength which has it.

    Parameters
    ----------
    auc_of
        The AUC of the oracle as a function of the strength.
    target
        The AUC to reach.

    Examples
    --------
    >>> find_strength(lambda strength: strength / (1 + strength), target=0.9)
    (9.0, 0.9)
    >>> find_strength(lambda strength: min(strength, 0.8), target=0.9)
    (1.0, 0.8)
    """
    auc_at = cache(auc_of)

    def reaches(candidate: int) -> bool:
        return auc_at(CANDIDATES[candidate]) >= target

    crossings = (pair for pair in pairwise(COARSE) if not reaches(pair[0]) and reaches(pair[1]))
    low, high = next(crossings, (0, 0))
    if high:
        between = range(low + 1, high + 1)
        strength = CANDIDATES[between[bisect_left(between, True, key=reaches)]]  # noqa: FBT003  # as `reaches`
    else:
        strength = min((CANDIDATES[i] for i in COARSE), key=lambda one: abs(auc_at(one) - target))
    return strength, auc_at(strength)


def _auc_at(kind: AnomalyKind, recipe: Recipe, seed: int, strength: float) -> float:
    return _oracle_auc(_with_strength(kind, strength), recipe, seed)


def _with_strength(kind: AnomalyKind, strength: float) -> AnomalyKind:
    return kind.model_copy(update={"strength": strength})


def _oracle_auc(kind: AnomalyKind, recipe: Recipe, seed: int) -> float:
    """Return the oracle's AUC on anomalies of one kind."""
    trial = recipe.model_copy(update={"rows": ROWS, "anomaly_ratio": RATIO, "anomalies": (kind,)})
    table = LabelledTable.concatenate(list(simulate(trial, seed)))
    return auc(NetworkDensity(network_of(trial, seed)).decision_function(table.X), table.y)


def auc(scores: FloatArray, y: BoolArray) -> float:
    """Return the share of pairs (anomaly, normal row) in which the anomaly scores higher; ties count half.

    The count of pairs is exact, so the last bits of the scores do not matter but in a tie.
    """
    from scipy.stats import rankdata  # noqa: PLC0415  # takes half a second to import

    n_anomalies, n_normal = int(y.sum()), int((~y).sum())
    won = float(rankdata(scores)[y].sum()) - n_anomalies * (n_anomalies + 1) / 2
    return won / (n_anomalies * n_normal)
