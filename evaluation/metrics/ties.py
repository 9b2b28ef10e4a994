"""Expectations over all orders of tied features, without permutations."""

from typing import NamedTuple

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray

CELLS_AT_ONCE = 2**17  # a chunk's arrays stay in the processor's cache


def expected_gains(attributions: FloatArray, gains: FloatArray | BoolArray, depth: int) -> FloatArray:
    """Return the expected gain (n, depth) at each of the first positions, the highest attribution first.

    By linearity, each position held by a tied group expects the group's mean gain.
    """
    expected = np.empty((len(gains), depth))
    step = max(CELLS_AT_ONCE // gains.shape[1], 1)
    for start in range(0, len(gains), step):
        part = slice(start, start + step)
        expected[part] = _expected_gains(attributions[part], gains[part], depth)
    return expected


def _expected_gains(attributions: FloatArray, gains: FloatArray | BoolArray, depth: int) -> FloatArray:
    # Need not be stable, since the order within ties does not count. One more position than asked for shows
    # whether the last group goes on.
    order = attributions.argsort(axis=1)[:, ::-1][:, : depth + 1]
    expected: FloatArray = np.take_along_axis(gains, order[:, :depth], axis=1).astype(np.float64)
    ranked = np.take_along_axis(attributions, order, axis=1)
    tied = (ranked[:, 1:] == ranked[:, :-1]).any(axis=1)
    if tied.any():
        groups = tied_groups(attributions[tied], gains[tied])
        expected[tied] = (groups.gain / groups.size)[:, :depth]
    return expected


class TiedGroups(NamedTuple):
    """For each position (n, d), the highest attribution first, the group of tied features that holds it.

    `start` is the number of positions before the group, `size` that of its features; `gain` is the sum of
    their gains, `gain_before` that of the features before the group.
    """

    start: IntArray
    size: IntArray
    gain: FloatArray
    gain_before: FloatArray


def tied_groups(attributions: FloatArray, gains: FloatArray | BoolArray) -> TiedGroups:
    """Return the groups of tied features of each row (n, d)."""
    order = np.argsort(-attributions, axis=1, kind="stable")
    ranked = np.take_along_axis(attributions, order, axis=1)
    is_start = np.ones(ranked.shape, dtype=bool)
    is_start[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    group, start = np.cumsum(is_start.ravel()) - 1, np.flatnonzero(is_start)
    gained = np.take_along_axis(gains, order, axis=1).astype(np.float64)
    gain = np.bincount(group, weights=gained.ravel())
    before = (np.cumsum(gained, axis=1) - gained).ravel()[start]
    parts = start % ranked.shape[1], np.bincount(group), gain, before
    return TiedGroups(*(part[group].reshape(ranked.shape) for part in parts))
