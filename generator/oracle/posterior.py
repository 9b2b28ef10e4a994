"""The posterior over the sets of features that anomalies affected, given the network and the kinds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray

from .clean_cells import CleanCells
from .density import own_parts
from .kind_models import KindModel, Redrawn
from .mechanism_likelihood import MechanismLikelihood
from .set_likelihood import Screening, refined, uniform_points

ENTRIES_AT_ONCE = 1 << 23
PAIRS_AT_ONCE, CELLS_AT_ONCE = 1 << 13, 1 << 22
TOO_WIDE = 0.1  # error of a feature's probability
ROUNDS = 3
# Log odds against the likeliest set and kind beyond which nothing is integrated; where rows are about normal.
NEGLIGIBLE, NEGLIGIBLE_ABOUT = 9.0, 40.0


@dataclass(frozen=True, eq=False)
class SetPosterior:
    """What is known of the affected features of n rows that are taken for anomalies.

    Parameters
    ----------
    by_size : (n, d, M + 1) float64
        The probability that feature i is affected, and m features are.
    log_odds : (n,) float64
        log p(x | anomaly) - log p(x | normal).
    error : (n,) float64
        The largest error of a feature's probability: the standard error from the integration, or about what
        a feature has that is in no set that was visited.
    left_out : (n,) float64
        The share of the posterior that is about on sets that were left out; 0 where all were visited.
    """

    by_size: FloatArray
    log_odds: FloatArray
    error: FloatArray
    left_out: FloatArray

    @property
    def marginal(self) -> FloatArray:
        """The probability of each feature to be affected, (n, d)."""
        return np.asarray(self.by_size.sum(axis=2))

    @property
    def is_unsure(self) -> BoolArray:
        """Whether a row's estimate is too wide to be called the ceiling, (n,): an error above `TOO_WIDE`."""
        return np.asarray(self.error > TOO_WIDE)

    @classmethod
    def concatenate(cls, parts: Sequence["SetPosterior"]) -> "SetPosterior":
        """Return the posterior of all rows."""
        names = ("by_size", "log_odds", "error", "left_out")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


class _Group(NamedTuple):
    """Entries of one kind and one size: sets (s, m) or (n, s, m), log weights (n, s), relative errors."""

    kind: KindModel
    sets: IntArray
    weights: FloatArray
    errors: FloatArray


@dataclass(frozen=True, eq=False)
class Enumeration:
    """Sums over kinds and sets of affected features.

    Parameters
    ----------
    clean
        What the cells of a set were.
    kinds
        The kinds, with shares that sum to 1.
    n_points
        Points of the integration over clean cells; a power of 2.
    most_refined
        How many of a row's likeliest pairs of kind and set are integrated with the floor; the others are
        taken without.
    """

    clean: CleanCells
    kinds: tuple[KindModel, ...]
    n_points: int = 64
    most_refined: int = 256

    @property
    def n_features(self) -> int:
        """The number of features d."""
        return len(self.clean.normal.mean)

    def of(self, X: FloatArray, sets: dict[int, IntArray] | None = None) -> SetPosterior:
        """Return the posterior of rows (n, d).

        `sets`, by size, are (s, m) for all rows or (n, s, m); default: all that each kind may affect.
        """
        step = max(1, ENTRIES_AT_ONCE // max(self._n_entries(sets), 1))
        parts = [self._of_block(X[i : i + step], _rows_of(sets, i, step)) for i in range(0, len(X), step)]
        return SetPosterior.concatenate(parts or [self._summed(self.groups(X, sets), len(X))])

    def _n_entries(self, sets: dict[int, IntArray] | None) -> int:
        if sets is not None:
            return sum(int(own.shape[-2]) for own in sets.values()) * len(self.kinds)
        return sum(len(kind.prior.sets(m)) for kind in self.kinds for m in kind.prior.sizes)

    def _of_block(self, X: FloatArray, sets: dict[int, IntArray] | None) -> SetPosterior:
        return self._summed(self.weighed(X, sets), len(X))

    def weighed(self, X: FloatArray, sets: dict[int, IntArray] | None = None) -> list[_Group]:
        """Return all kinds and sizes with weights that have the floor where that counts."""
        groups = self.groups(X, sets)
        if self.most_refined:
            self._refine(X, groups)
        return groups

    def groups(self, X: FloatArray, sets: dict[int, IntArray] | None = None) -> list[_Group]:
        """Return all kinds and sizes with weights that lack the floor."""
        screenings: dict[int, Screening] = {}  # kinds share sets
        return [group for kind in self.kinds for group in self._groups_of(kind, X, sets, screenings)]

    def _groups_of(
        self,
        kind: KindModel,
        X: FloatArray,
        sets: dict[int, IntArray] | None,
        screenings: dict[int, Screening],
    ) -> Iterator[_Group]:
        likelihood = kind.likelihood
        rows = likelihood.of_rows(X) if isinstance(likelihood, MechanismLikelihood) else None
        for m in kind.prior.sizes:
            if isinstance(likelihood, Redrawn):
                own, factor = kind.prior.sets(m), likelihood.log_ratio(X)[:, None]
            elif sets is not None and m not in sets:
                continue
            else:
                own = kind.prior.sets(m) if sets is None else sets[m]
                if isinstance(likelihood, MechanismLikelihood):
                    assert rows is not None  # noqa: S101  # made above
                    factor = likelihood.screen(rows, own)
                else:
                    if id(own) not in screenings:
                        screenings[id(own)] = Screening(self.clean, X, own)
                    factor = screenings[id(own)].of(likelihood)
            yield _Group(kind, own, kind.log_share + kind.prior.log(own) + factor, np.zeros(factor.shape))

    def _refine(self, X: FloatArray, groups: list[_Group]) -> None:
        """Integrate what counts, floor included, in place; again where what then counts was not yet."""
        ends = np.cumsum([0, *(group.weights.shape[1] for group in groups)])
        done = np.zeros((len(X), ends[-1]), dtype=bool)
        negligible = NEGLIGIBLE if self.clean.exact else NEGLIGIBLE_ABOUT
        for _ in range(ROUNDS):
            weights = np.concatenate([group.weights for group in groups], axis=1)
            counts = weights > weights.max(axis=1, keepdims=True) - negligible
            if weights.shape[1] > self.most_refined:
                least = np.partition(weights, -self.most_refined, axis=1)[:, -self.most_refined]
                counts &= weights >= least[:, None]
            counts &= ~done
            if not counts.any():
                return
            done |= counts
            for group, first, last in zip(groups, ends, ends[1:], strict=False):
                self._refine_group(X, group, *np.nonzero(counts[:, first:last]))

    def _refine_group(self, X: FloatArray, group: _Group, row: IntArray, place: IntArray) -> None:
        sets = group.sets[place] if group.sets.ndim == 2 else group.sets[row, place]
        step = PAIRS_AT_ONCE if self.clean.exact else CELLS_AT_ONCE // (self.n_points * X.shape[1])
        for i in range(0, len(row), step):
            at, own = (row[i : i + step], place[i : i + step]), sets[i : i + step]
            found, errors = self._refined(group.kind, X[at[0]], own)
            group.weights[at] = group.kind.log_share + group.kind.prior.log(own) + found
            group.errors[at] = errors

    def _refined(self, kind: KindModel, X: FloatArray, sets: IntArray) -> tuple[FloatArray, FloatArray]:
        likelihood = kind.likelihood
        if isinstance(likelihood, Redrawn):
            return likelihood.log_ratio(X), np.zeros(len(X))
        if isinstance(likelihood, MechanismLikelihood):
            uniform = uniform_points(self.n_points, 2 * sets.shape[1]).reshape(self.n_points, 2, -1)
            own = own_parts(likelihood.network, X)
            return likelihood.refined(likelihood.of_rows(X), own, sets, uniform)
        return refined(likelihood, self.clean, X, sets, self.n_points)

    def _summed(self, groups: Sequence[_Group], n_rows: int) -> SetPosterior:
        log_odds = logsumexp(np.concatenate([group.weights for group in groups], axis=1), axis=1)
        largest = max(group.sets.shape[-1] for group in groups)
        by_size = np.zeros((n_rows, self.n_features, largest + 1))
        variance = np.zeros((2, n_rows, self.n_features))
        every = np.zeros(n_rows)
        for group in groups:
            share = np.exp(group.weights - np.where(np.isfinite(log_odds), log_odds, 0.0)[:, None])
            noise = (share * group.errors) ** 2
            m = group.sets.shape[-1]
            by_size[:, :, m] += _by_feature(share, group.sets, self.n_features)
            variance[0] += _by_feature(noise, group.sets, self.n_features)
            every += noise.sum(axis=1)
        marginal = by_size.sum(axis=2)
        # Of a ratio of sums: an entry with the feature counts 1 - p, one without it p.
        total = variance[0] * (1 - 2 * marginal) + marginal**2 * every[:, None]
        error = np.sqrt(np.maximum(total, 0)).max(axis=1)
        return SetPosterior(by_size, log_odds, error, np.zeros(n_rows))


def _rows_of(sets: dict[int, IntArray] | None, first: int, n: int) -> dict[int, IntArray] | None:
    if sets is None:
        return None
    return {m: own if own.ndim == 2 else own[first : first + n] for m, own in sets.items()}


def _by_feature(values: FloatArray, sets: IntArray, n_features: int) -> FloatArray:
    """Return the sums (n, d) of values (n, s) over the sets that hold each feature."""
    if sets.ndim == 2:
        holds = np.zeros((len(sets), n_features))
        holds[np.arange(len(sets))[:, None], sets] = 1.0
        return values @ holds
    sums = np.zeros((len(values), n_features))
    for j in range(sets.shape[2]):
        np.add.at(sums, (np.arange(len(values))[:, None], sets[:, :, j]), values)
    return sums
