"""Kinds with one set of affected features for all their rows: the set is unknown once for a whole table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from xadbench.datasets.common.arrays import FloatArray

from .kind_models import KindModel
from .posterior import Enumeration
from .set_prior import WeightedSets

LIKELIEST = 150  # sets of a kind that are integrated with the floor
SWEEPS = 8
ALL, POINTS = 1 << 30, 64  # the rows of a table together need few
SUSPECTS = 4  # times as many rows as there are anomalies are looked at


def with_table_sets(enumeration: Enumeration, X: FloatArray, ratio: float) -> Enumeration:
    """Return the enumeration with what a table's rows say of the sets that their kinds share.

    Rows are normal, or of one of the kinds; nothing tells which. The posterior of each kind's set, given
    those of the other kinds, is a sum over all sets; kinds take turns until nothing changes.

    Parameters
    ----------
    enumeration
        Of the kinds; those with one set a table are answered as if each row had its own.
    X : (n, d) float64
        All rows of the table.
    ratio
        The share of anomalies among them.
    """
    shared = [i for i, kind in enumerate(enumeration.kinds) if is_shared(kind)]
    if not shared or not len(X):
        return enumeration
    odds = replace(enumeration, most_refined=0).of(X).log_odds
    suspects = X[np.argsort(-odds, kind="stable")[: int(SUSPECTS * ratio * len(X)) + 1]]
    prior_odds = float(np.log(ratio) - np.log1p(-ratio))
    fixed = np.zeros(len(suspects))  # log odds of each row to be normal, or of a kind whose rows differ
    for i in set(range(len(enumeration.kinds))) - set(shared):
        log_odds = replace(enumeration, kinds=(enumeration.kinds[i],)).of(suspects).log_odds
        fixed = np.logaddexp(fixed, prior_odds + log_odds)
    kinds = list(enumeration.kinds)
    for most_refined in (0, ALL):
        summing = replace(enumeration, most_refined=most_refined, n_points=POINTS)
        tables = [_Shared.of(replace(summing, kinds=(kinds[i],)), suspects, prior_odds) for i in shared]
        found = _posteriors(tables, fixed)
        for i, table, own in zip(shared, tables, found, strict=True):
            likeliest = np.argsort(-own, kind="stable")[:LIKELIEST]
            logs = own if most_refined else table.log_prior
            weights = {table.sets[j]: float(logs[j]) for j in likeliest if np.isfinite(logs[j])}
            kinds[i] = kinds[i]._replace(prior=WeightedSets(weights))
    return replace(enumeration, kinds=tuple(kinds))


def is_shared(kind: KindModel) -> bool:
    """Whether all rows of a kind in a table have the same set, of several that are possible."""
    return kind.kind.affected.per == "kind" and kind.kind.kind != "cluster"


@dataclass(frozen=True, eq=False)
class _Shared:
    """A kind's sets, their log-probabilities (s,), and the log odds of rows given each, (n, s)."""

    sets: list[tuple[int, ...]]
    log_prior: FloatArray
    log_odds: FloatArray

    @classmethod
    def of(cls, enumeration: Enumeration, X: FloatArray, prior_odds: float) -> "_Shared":
        kind = enumeration.kinds[0]
        groups = enumeration.weighed(X)
        log_prior = np.concatenate([kind.prior.log(group.sets) for group in groups])
        weights = np.concatenate([group.weights for group in groups], axis=1)
        sets = [tuple(one) for group in groups for one in group.sets.tolist()]
        return cls(sets, log_prior, prior_odds + weights - log_prior)


def _posteriors(tables: Sequence[_Shared], fixed: FloatArray) -> list[FloatArray]:
    """Return the log-posterior of each kind's sets, given the likeliest ones of the other kinds."""
    of_rows = [logsumexp(one.log_odds + one.log_prior, axis=1) for one in tables]
    found: list[FloatArray] = [one.log_prior for one in tables]
    for _ in range(SWEEPS):
        before = [int(own.argmax()) for own in found]
        for k, one in enumerate(tables):
            others = logsumexp([fixed, *(own for j, own in enumerate(of_rows) if j != k)], axis=0)
            likelihood = np.logaddexp(others[:, None], one.log_odds).sum(axis=0)
            found[k] = one.log_prior + likelihood
            found[k] = found[k] - logsumexp(found[k])
            of_rows[k] = one.log_odds[:, int(found[k].argmax())]
        if before == [int(own.argmax()) for own in found]:
            break
    return found
