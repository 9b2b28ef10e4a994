"""Shapley values of a score, by the samplers of shap."""

import logging
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.common.checks import at_least
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.rng import stream

from .rows import RowExplainer

MIN_BACKGROUND = 100
ROWS_PER_BACKGROUND_ROW = 50  # 2 % of the rows
CELLS_AT_ONCE = 2**20  # values in one call of the detector


def background_sample(rows: FloatArray, random_state: int) -> FloatArray:
    """Return 100 rows or 2 % of them, whichever is more; the same for all explainers that average over it."""
    size = min(len(rows), max(MIN_BACKGROUND, len(rows) // ROWS_PER_BACKGROUND_ROW))
    rng = stream(random_state, "kernel_shap", "background")
    return rows[rng.choice(len(rows), size, replace=False)]


def mean_scores(score: Any, row: FloatArray, sample: FloatArray, coalitions: BoolArray) -> FloatArray:
    """Return the mean score (m,) with the features of each coalition (m, d) from a row, others sampled."""
    part = max(1, CELLS_AT_ONCE // sample.size)
    means = np.empty(len(coalitions))
    for start in range(0, len(coalitions), part):
        chosen = coalitions[start : start + part]
        mixed = np.where(chosen[:, None, :], row, sample)
        scores = np.asarray(score(mixed.reshape(-1, len(row))), dtype=np.float64)
        means[start : start + part] = scores.reshape(len(chosen), -1).mean(axis=1)
    return means


class ScoreSHAP(RowExplainer):
    """Explainer of shap that calls the score alone: `_explainer_of` makes it.

    The attribution is the signed Shapley value: what a feature adds to the score, against the background. A
    feature that makes the row look normal comes last.
    """

    library = "shap"
    stream_name = ("kernel_shap", "coalitions")

    def _prepare(self, detector: Any, background: FloatArray) -> None:
        sample = background_sample(background, self.random_state)
        with quiet_logger("shap"):  # it advises a smaller background than the paper's
            self._explainer = self._explainer_of(load_shap(), detector.decision_function, sample)

    @abstractmethod
    def _explainer_of(self, shap: Any, score: Any, sample: FloatArray) -> Any:
        """Return shap's explainer of a score against the sampled background (b, d)."""


class KernelSHAP(ScoreSHAP):
    r"""Explainer by Shapley values of the score, estimated from sampled coalitions of features.

    The attribution is the signed Shapley value: what a feature adds to the score, against the background. A
    feature that makes the row look normal comes last. The values of a row sum to f(x) minus the
    background's mean score.

    Parameters
    ----------
    alpha
        Coalitions per feature, at least 1: round(alpha d) calls of the detector on the whole background.
        The paper took 1.5 to 2. See the notes before going below 2. None: the library's default of
        2 d + 2048 coalitions, or all 2^d - 2 where these are fewer.
    random_state
        Seed of the background's rows and of the coalitions, at least 0.

    Notes
    -----
    Source: Lundberg & Lee 2017, through `shap.KernelExplainer` without L1 regularisation; the settings are
    those of Vincent et al. 2025: a background of 100 rows or 2 % of them, whichever is more. The library's
    default regularisation, l1_reg="num_features(10)", would keep 10 features and give all others 0.

    Cost per row: 100 alpha d score evaluations, at least; with the library's default about 200,000.

    Given the rows, shap would hold all coalitions times the background at once: 1.6 GB at 1,000 features, and
    twice that with 10,000 rows. So its players are the features, in the coalition (1) or not (0), and what a
    coalition is worth is asked in parts. Its draws and its equations are the same.

    Coalitions come in complementary pairs, whose two equations have the same left side up to the sign. So
    round(alpha d) coalitions give about alpha d / 2 equations for d - 1 unknowns: just enough at alpha = 2,
    with no margin; below, the solution is arbitrary for all but the smallest d. Take alpha = 4 to give the
    method a fair chance. Where shap finds the system singular it takes the smallest least-squares solution;
    its warning is silenced, since it would come once a row.
    """

    version = 2

    def __init__(self, alpha: float | None = 2.0, random_state: int = 0) -> None:
        if alpha is not None and not 1 <= alpha < np.inf:
            raise InputError(f"alpha is {alpha!r}, expected a finite number of at least 1")
        self.alpha = alpha
        self.random_state = random_state

    def _explainer_of(self, shap: Any, score: Any, sample: FloatArray) -> Any:
        self._score, self._sample = score, sample
        self._row = sample[0]
        self._varying: BoolArray = np.ones(sample.shape[1], dtype=bool)  # shap asks here for no features
        return shap.KernelExplainer(self._worth, np.zeros((1, sample.shape[1])))

    def _worth(self, players: FloatArray) -> FloatArray:
        """Return what coalitions (m, d) of 0 and 1 are worth for the row: their mean scores (m,)."""
        coalitions = players == 1
        is_row = len(coalitions) == 1 and np.array_equal(coalitions[0], self._varying)
        sample = self._sample[:1] if is_row else self._sample  # nothing is left of it: once is enough
        return mean_scores(self._score, self._row, sample, coalitions)

    def _explain_row(self, row: FloatArray) -> FloatArray:
        # As shap has it: a feature that is the same all over the background and in the row does not play.
        self._row = row
        self._varying = np.logical_not(np.isclose(row, self._sample).all(axis=0))
        n_coalitions = "auto" if self.alpha is None else round(self.alpha * len(row))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Linear regression equation is singular")
            values: FloatArray = self._explainer.shap_values(
                self._varying[None].astype(float), nsamples=n_coalitions, l1_reg=False, silent=True
            )[0]
        return values


class PermutationSHAP(ScoreSHAP):
    r"""Explainer by Shapley values along permutations of the features, each forwards and backwards.

    The values of a row sum to f(x) minus the background's mean score, and are exact where no more than two
    features interact.

    Parameters
    ----------
    n_permutations
        Number of permutations, at least 1.
    random_state
        Seed of the background's rows and of the permutations, at least 0.

    Notes
    -----
    Source: Mitchell et al. 2022, arXiv 2104.12199, through `shap.PermutationExplainer`, whose own default is
    500 // (2 d + 1) permutations and so none beyond 249 features. Cost per row: (2 d + 1) n_permutations
    times the background, so at least 200 d score evaluations. The first row takes some ten seconds more, in
    which shap compiles code.
    """

    version = 2

    def __init__(self, n_permutations: int = 1, random_state: int = 0) -> None:
        at_least(1, n_permutations=n_permutations)
        self.n_permutations = n_permutations
        self.random_state = random_state

    def _explainer_of(self, shap: Any, score: Any, sample: FloatArray) -> Any:
        # Its masker would take 100 rows of the sample; a seed of its own comes before ours.
        masker = shap.maskers.Independent(sample, max_samples=len(sample))
        masker.supports_delta_masking = False  # which makes the rows of all steps at once, whatever the batch
        self._batch_size = max(1, CELLS_AT_ONCE // sample.size)  # in steps
        return shap.PermutationExplainer(score, masker, seed=None)

    def _explain_row(self, row: FloatArray) -> FloatArray:
        evaluations = self.n_permutations * (2 * len(row) + 1)
        rows = row[None, :].copy()  # writeable: shap would compile its code again for an array that is not
        explained = self._explainer(rows, max_evals=evaluations, batch_size=self._batch_size, silent=True)
        values: FloatArray = explained.values[0]
        return values


class SamplingSHAP(ScoreSHAP):
    r"""Explainer by Shapley values from permutations and background rows that are drawn together.

    The values of a row are corrected, by their variances, to sum to f(x) minus the background's mean score.

    Parameters
    ----------
    n_samples
        Pairs of score evaluations per feature, at least 2. Beyond 100, the surplus goes to the features whose
        estimates vary most.
    random_state
        Seed of the background's rows and of the draws, at least 0.

    Notes
    -----
    Source: Strumbelj & Kononenko 2010, JMLR 11, through `shap.SamplingExplainer`, whose own default is 1000
    pairs per feature. Cost per row: 2 n_samples d score evaluations.
    """

    def __init__(self, n_samples: int = 100, random_state: int = 0) -> None:
        at_least(2, n_samples=n_samples)
        self.n_samples = n_samples
        self.random_state = random_state

    def _explainer_of(self, shap: Any, score: Any, sample: FloatArray) -> Any:
        return shap.SamplingExplainer(score, sample)

    def _explain_row(self, row: FloatArray) -> FloatArray:
        pairs = self.n_samples * len(row)
        values: FloatArray = self._explainer.shap_values(row[None, :], nsamples=pairs, silent=True)[0]
        return values


def load_shap() -> Any:
    """Return the library, imported without a word."""
    with warnings.catch_warnings():
        # shap's plots, which it imports and we do not use, call what matplotlib is about to deprecate.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return import_module("shap")  # takes two seconds


@contextmanager
def quiet_logger(name: str) -> Iterator[None]:
    """Silence a logger's warnings within the scope."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
