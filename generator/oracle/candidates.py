"""Candidate features of each row, where there are too many sets to visit all of them."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from xadbench.datasets.common.arrays import FloatArray, IntArray

from .posterior import Enumeration, SetPosterior
from .set_prior import all_sets

FIRST = 12  # features that the beam is made of


@dataclass(frozen=True, eq=False)
class CandidateSearch:
    """Sums over the sets among a few features of each row.

    Candidates are found without the floor: by the likeliest set of one or two features that holds each
    feature, then by the likeliest sets among the first candidates with every other feature added.

    Parameters
    ----------
    enumeration
        What sums over sets.
    largest
        The largest size of a set.
    n_candidates
        How many features of a row may be in a set.
    pairs
        Whether all pairs of features are tried first, not each feature alone.
    beam
        How many sets of each size are tried with every other feature; with 0, nothing is said of what is
        left out.
    """

    enumeration: Enumeration
    largest: int
    n_candidates: int = 14
    pairs: bool = True
    beam: int = 3

    def of(self, X: FloatArray) -> SetPosterior:
        """Return the posterior of rows (n, d), with the share that is about on the sets left out."""
        step = 256
        parts = [self._of_block(X[i : i + step]) for i in range(0, max(len(X), 1), step)]
        return SetPosterior.concatenate(parts)

    def _of_block(self, X: FloatArray) -> SetPosterior:
        d, n_first = X.shape[1], min(self.n_candidates, FIRST, X.shape[1])
        best, visited = np.full(X.shape, -np.inf), []
        beam = np.full(len(X), -np.inf)
        for m in range(1, min(self.largest, 2 if self.pairs else 1) + 1):
            self._weigh(X, all_sets(d, m), best)
        first = _highest(best, n_first)
        for m in range(1, self.largest if self.beam else 1):
            among = first[:, all_sets(n_first, m)]
            weights = self._weights(X, among)
            top = _highest(weights, min(self.beam, weights.shape[1]))
            extended = _with_each_other(np.take_along_axis(among, top[..., None], axis=1), d)
            visited.append((extended[..., -1], self._weigh(X, extended, best)))
            beam = np.logaddexp(beam, logsumexp(np.take_along_axis(weights, top, axis=1), axis=1))
        chosen = np.sort(_highest(best, min(self.n_candidates, d)), axis=1)
        sizes = range(1, self.largest + 1)
        among_chosen = {m: np.sort(chosen[:, all_sets(chosen.shape[1], m)]) for m in sizes}
        found = self.enumeration.of(X, among_chosen)
        is_candidate = np.zeros(X.shape, dtype=bool)
        np.put_along_axis(is_candidate, chosen, values=True, axis=1)
        if not self.beam:
            return found
        outside = np.full(X.shape, -np.inf)
        for added, weights in visited:
            np.logaddexp.at(outside, (np.arange(len(X))[:, None], added), weights)
        return _with_left_out(found, np.where(is_candidate, -np.inf, outside), beam)

    def _weigh(self, X: FloatArray, sets: IntArray, best: FloatArray) -> FloatArray:
        """Return the log weights (n, s) of sets; note each feature's highest in `best` (n, d)."""
        weights = self._weights(X, sets)
        if sets.ndim == 2:
            for feature in range(X.shape[1]):
                own = weights[:, (sets == feature).any(axis=1)]
                best[:, feature] = np.maximum(best[:, feature], own.max(axis=1, initial=-np.inf))
        else:
            rows = np.arange(len(X))[:, None, None]
            np.maximum.at(best, (rows, sets), np.broadcast_to(weights[..., None], sets.shape))
        return weights

    def _weights(self, X: FloatArray, sets: IntArray) -> FloatArray:
        """Return the log weights (n, s) of sets of one size, summed over the kinds, without the floor."""
        groups = self.enumeration.groups(X, {sets.shape[-1]: sets})
        if not groups:
            return np.full((len(X), sets.shape[-2]), -np.inf)
        return np.asarray(logsumexp([group.weights for group in groups], axis=0))


def _with_left_out(found: SetPosterior, outside: FloatArray, beam: FloatArray) -> SetPosterior:
    """Return the posterior with about what features that are no candidates have of it.

    `outside` (n, d) is the log weight of the sets with such a feature that were tried, each a set of the beam
    and that feature; `beam` (n,) that of the beam. All smaller sets are taken to gain from such a feature
    what those of the beam do.
    """
    sizes = np.arange(found.by_size.shape[2])
    smaller = (found.by_size.sum(axis=1) / np.maximum(sizes, 1))[:, :-1].sum(axis=1)
    log_smaller = np.log(np.maximum(smaller, 1e-300))
    gain = outside - np.minimum(beam, found.log_odds + log_smaller)[:, None]
    extra = np.exp(np.minimum(log_smaller[:, None] + gain, 30.0))
    share = extra / (1 + extra.sum(axis=1, keepdims=True))
    return replace(
        found, left_out=share.sum(axis=1), error=np.maximum(found.error, share.max(axis=1, initial=0.0))
    )


def _highest(values: FloatArray, n: int) -> IntArray:
    """Return the positions (rows, n) of each row's n highest values."""
    return np.argsort(-values, axis=1, kind="stable")[:, :n]


def _with_each_other(sets: IntArray, n_features: int) -> IntArray:
    """Return sets (n, s, m) with each feature that is not in them added last, (n, s·(d - m), m + 1)."""
    n, s, m = sets.shape
    inside = np.zeros((n, s, n_features), dtype=bool)
    np.put_along_axis(inside, sets, values=True, axis=2)
    others = np.argsort(inside, axis=2, kind="stable")[..., : n_features - m]
    repeated = np.broadcast_to(sets[:, :, None], (n, s, n_features - m, m))
    return np.concatenate([repeated, others[..., None]], axis=3).reshape(n, -1, m + 1)
