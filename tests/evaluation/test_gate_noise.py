"""How often the gate fails on noise alone, and how often it finds a fault: 200 comparisons each.

The noise is that of real runs of suite quick on a machine of two cores that others used too; `quick_noise.csv`
holds them: `a` to `g` are one suite at one seed, run one after the other; `c` is that again with the processor's
wider instructions (AVX and later) switched off, which changes the bits of every training as another machine does;
the others are further seeds. A simulated comparison draws from them:

- times: of two runs that followed one another, each trial the ratio of a trial of its explainer;
- scores of equal seeds: on one machine they repeat to the bit; on another, each trial the difference of a trial
  of its explainer and detector, in either direction;
- scores of other seeds: of a table of quick, the difference between two seeds, the same two for all explainers
  and detectors.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets.streams import stream
from xadbench.evaluation.gate import verdict
from xadbench.evaluation.gate.pairing import TIME, Pairs
from xadbench.evaluation.gate.verdict import APART, SHORTEST, Terms

RUNS = pd.read_csv(Path(__file__).parent / "quick_noise.csv")
INDEX = ["table", "detector", "explainer"]
VALUE = "adjusted_ndcg_m"
N, N_RESAMPLES = 200, 2000
REPEATS, OTHER_BITS = "abdefg", "c"
EXPLAINERS = sorted(RUNS["explainer"].unique())
DETECTORS = {name: sorted(of["detector"].unique()) for name, of in RUNS.groupby("explainer")}
N_COMPARISONS = 2 * len(EXPLAINERS)  # a score and a time each


def of_run(run, column):
    return RUNS[RUNS["run"] == run].set_index(INDEX)[column]


def rows_of(explainer, tables, seeds, *, by_detector=True):
    """Return the (unit, seed) of a suite's trials."""
    detectors = DETECTORS[explainer] if by_detector else [""]
    return [(f"t{t}{APART}{one}", seed) for t in range(tables) for one in detectors for seed in range(seeds)]


def worse(rows, changes, measure, n_comparisons=N_COMPARISONS, *, same_seeds=True):
    """Return which of the comparisons (n, rows) of one explainer fail, as `judge` decides on each."""
    index = pd.MultiIndex.from_tuples(rows, names=["table", "seed"])
    columns = pd.MultiIndex.from_product(
        [[measure], map(str, range(len(changes)))], names=["measure", "explainer"]
    )
    pairs = Pairs(pd.DataFrame(), same_seeds, ())
    bound = 1 - (1 - Terms().level) / n_comparisons
    intervals = verdict._intervals(pd.DataFrame(changes.T, index, columns), bound, N_RESAMPLES, pairs)
    return np.array([verdict._verdict(intervals[one], measure, Terms()) == "worse" for one in intervals])


def ratios():
    """Return the logarithms of ratios of times, by explainer: (pairs of runs, trials)."""
    logs = [np.log(of_run(run, "kernel_units").clip(lower=SHORTEST)) for run in REPEATS]
    both = [new - base for one, other in pairwise(logs) for new, base in ((one, other), (other, one))]
    return {name: np.array([of.xs(name, level="explainer") for of in both]) for name in EXPLAINERS}


def times(rng, tables, seeds):
    """Return rows and logarithms of ratios (N, rows) by explainer: all of a comparison from one pair of runs."""
    found, made = ratios(), {}
    pairs = rng.integers(len(found[EXPLAINERS[0]]), size=N)
    for name, of_pairs in found.items():
        rows = rows_of(name, tables, seeds)
        trial = rng.integers(of_pairs.shape[1], size=(N, len(rows)))
        made[name] = rows, of_pairs[pairs[:, None], trial]
    return made


def other_bits(rng, tables, seeds):
    """Return rows and differences of scores (N, rows) by explainer, of equal seeds on another machine."""
    noise, made = of_run(OTHER_BITS, VALUE) - of_run(REPEATS[0], VALUE), {}
    for name in EXPLAINERS:
        rows = rows_of(name, tables, seeds)
        pools = [
            noise.xs((unit.partition(APART)[2], name), level=("detector", "explainer")) for unit, _ in rows
        ]
        drawn = np.array([rng.choice(pool, N) for pool in pools]).T
        made[name] = rows, drawn * rng.choice([-1, 1], size=drawn.shape)
    return made


def other_seeds(rng, tables, seeds):
    """Return rows and differences of scores (N, rows) by explainer, means over detectors, of other seeds."""
    runs = [REPEATS[0], *sorted(set(RUNS["run"]) - {*REPEATS, OTHER_BITS})]
    by_table = {run: of_run(run, VALUE).groupby(["table", "explainer"]).mean().unstack() for run in runs}
    values = np.array([by_table[run][EXPLAINERS] for run in runs])  # (runs, tables, explainers)
    size = (N, tables * seeds)
    which = np.repeat(rng.integers(values.shape[1], size=(N, tables)), seeds, axis=1)
    first = rng.integers(len(runs), size=size)
    second = (first + rng.integers(1, len(runs), size=size)) % len(runs)
    drawn = values[second, which] - values[first, which]
    return {
        name: (rows_of(name, tables, seeds, by_detector=False), drawn[:, :, i])
        for i, name in enumerate(EXPLAINERS)
    }
