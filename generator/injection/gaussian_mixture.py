"""A Gaussian mixture as a model of real rows, chosen by BIC and sampled with a generator of ours.

scikit-learn's own `sample` replays one stream under an integer seed. The fit runs on BLAS, so what is drawn
here is reproducible on one installation, not bit for bit across them.
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.threads import one_thread
from xadbench.generator.draws import integer

if TYPE_CHECKING:
    from sklearn.mixture import GaussianMixture

MAX_COMPONENTS = 9


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture of K components in d dimensions.

    Parameters
    ----------
    weights : (K,) float64
        Their shares; the sum is 1.
    means : (K, d) float64
        Their means.
    factors : (K, d, d) float64
        Lower Cholesky factors of their covariances.
    """

    weights: FloatArray
    means: FloatArray
    factors: FloatArray

    def scaled(self, strength: float) -> Self:
        """Return the mixture with means and standard deviations multiplied by `strength`."""
        return type(self)(self.weights, strength * self.means, strength * self.factors)

    def sample(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Return `n` independent rows in random order of components, (n, d)."""
        component = self._components(n, rng)
        standard = rng.standard_normal((n, self.means.shape[1]))
        rows = np.empty_like(standard)
        with one_thread():
            for k, (mean, factor) in enumerate(zip(self.means, self.factors, strict=True)):
                rows[component == k] = mean + standard[component == k] @ factor.T
        return rows

    def component_stds(self, rows: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return the standard deviations of each row's component, (n, d), drawn given the row's values."""
        log_shares = []
        for weight, mean, factor in zip(self.weights, self.means, self.factors, strict=True):
            z = np.linalg.solve(factor, (rows - mean).T)
            log_shares.append(np.log(weight) - np.log(np.diag(factor)).sum() - (z * z).sum(axis=0) / 2)
        shares = np.exp(np.stack(log_shares, axis=1) - np.max(log_shares, axis=0)[:, None])
        bounds = np.cumsum(shares, axis=1)
        component = (bounds < rng.random((len(rows), 1)) * bounds[:, -1:]).sum(axis=1)
        stds: FloatArray = np.sqrt((self.factors**2).sum(axis=2))[component]
        return stds

    def _components(self, n: int, rng: np.random.Generator) -> IntArray:
        bounds = np.cumsum(self.weights)[:-1]  # the last component takes the rest, rounding included
        return np.searchsorted(bounds, rng.random(n), side="right")


def fit_mixture(rows: FloatArray, rng: np.random.Generator) -> Mixture:
    """Fit mixtures of 1 to 9 components with full covariances, and return the one of least BIC.

    There are at most n // (d + 1) components, but always one: with fewer rows each, their covariances are
    singular, and BIC compares what the regularisation makes of them.

    Parameters
    ----------
    rows : (n, d) float64
        Standardised rows, at least 2.
    rng
        Seeds the fits' starting points.
    """
    seed = integer(0, 2**31 - 1, rng)
    largest = max(1, len(rows) // (rows.shape[1] + 1))
    sizes = range(1, min(MAX_COMPONENTS, largest) + 1)
    with one_thread():
        best = min((_fit(rows, size, seed) for size in sizes), key=lambda model: model.bic(rows))
        factors = np.linalg.cholesky(best.covariances_)
    return Mixture(best.weights_, best.means_, factors)


def _fit(rows: FloatArray, n_components: int, seed: int) -> "GaussianMixture":
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415  # takes a second; few need it
    from sklearn.mixture import GaussianMixture  # noqa: PLC0415  # as above

    with warnings.catch_warnings():
        # One that did not converge, or found fewer distinct rows than components, competes as it is.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return GaussianMixture(n_components, random_state=seed).fit(rows)
