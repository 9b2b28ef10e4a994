"""The kinds of anomalies as likelihoods: which sets they affect, and what they make of a row."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.rng import stream
from xadbench.generator.anomalies.base import Calibrated, number
from xadbench.generator.anomalies.registry import AnomalyKind, Mechanism, Population

from .clean_cells import CleanCells
from .copied_values import Copied
from .density import node_log_density
from .linear_gaussian import Normal, check_network, is_linear_gaussian
from .mechanism_likelihood import MechanismLikelihood
from .new_values import CellByCell, Floor, InRange, NewValues, Together
from .set_prior import DrawnSets, SetPrior

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork

LARGEST_SET, MOST_SETS = 4, 50_000
COPIES = 2000  # rows of a network that tell the density of copied values
ANSWERS_STILL = "oracle_network and network_heuristic rank features without the kinds"


@dataclass(frozen=True, eq=False)
class Redrawn:
    """The whole row is drawn from the network with every parameter multiplied: `cluster`, without floor."""

    network: "AdditiveNoiseNetwork"
    scaled: "AdditiveNoiseNetwork"

    def log_ratio(self, X: FloatArray) -> FloatArray:
        """Return the log Bayes factor (n,) of rows (n, d)."""
        scaled, normal = (node_log_density(one, X).sum(axis=1) for one in (self.scaled, self.network))
        return np.asarray(scaled - normal)


Likelihood = NewValues | MechanismLikelihood | Redrawn


class KindModel(NamedTuple):
    """A kind of anomaly as the oracle knows it: its share of the anomalies, its sets, its new values."""

    kind: AnomalyKind
    log_share: float
    prior: SetPrior
    likelihood: Likelihood


def clean_cells(network: "AdditiveNoiseNetwork", rows: FloatArray) -> CleanCells:
    """Return what cells of a row are given the others; about, by rows (n, d), where that is not normal."""
    check_network(network)
    if is_linear_gaussian(network):
        return CleanCells(network, Normal.of_network(network), exact=True)
    covariance = np.cov(rows.T)
    jitter = 1e-9 * np.diag(np.diag(covariance))
    return CleanCells(network, Normal(rows.mean(axis=0), covariance + jitter), exact=False)


def kind_models(
    clean: CleanCells, kinds: Sequence[AnomalyKind], population: Population
) -> tuple[KindModel, ...]:
    """Return the kinds of a recipe, each with the same share, as likelihoods.

    Raises
    ------
    InputError
        If a kind's posterior cannot be computed: one that is not known, whose strength is still a goal, or
        that has too many sets.
    """
    share = -math.log(len(kinds))
    models = []
    for kind in kinds:
        prior = DrawnSets.of(kind, clean.network)
        _check(kind, prior)
        models.append(KindModel(kind, share, prior, _likelihood(clean, kind, population)))
    return tuple(models)


def _check(kind: AnomalyKind, prior: DrawnSets) -> None:
    if isinstance(getattr(kind, "strength", None), Calibrated):
        raise InputError(
            f"anomaly kind {kind.kind!r}: its strength is still a goal (oracle_auc); expected a number, as "
            "in the recipe of a table's provenance"
        )
    too_many = max(prior.sizes) > LARGEST_SET and prior.n_sets > MOST_SETS
    if kind.kind != "cluster" and too_many:
        raise InputError(
            f"anomaly kind {kind.kind!r} affects up to {max(prior.sizes)} of {prior.n_features} features: "
            f"its posterior is computed for sets of up to {LARGEST_SET}, or up to {MOST_SETS:,} sets; "
            f"{ANSWERS_STILL}"
        )


def _likelihood(  # noqa: PLR0911  # one a kind
    clean: CleanCells, kind: AnomalyKind, population: Population
) -> Likelihood:
    network, mean, std = clean.network, *population.moments
    floor = Floor.of(kind, std)
    match kind.kind:
        case "cluster":
            return Redrawn(network, network.scaled(number(kind.strength)))  # type: ignore[attr-defined]
        case "mechanism":
            assert isinstance(kind, Mechanism)  # noqa: S101  # by its name
            return MechanismLikelihood(kind, network, floor)
        case "global":
            ends = population.rows.min(axis=0), population.rows.max(axis=0)
            return InRange(floor, *(number(kind.strength) * end for end in ends))  # type: ignore[attr-defined]
        case "local":
            covariance = number(kind.strength) * np.cov(population.rows.T)  # type: ignore[attr-defined]
            return Together(floor, mean, covariance)
        case "dependency" | "swap" if not clean.exact:
            seed = int(stream(0, "oracle", "copies").integers(1 << 30))
            return Copied(floor, network.simulate(COPIES, seed), together=kind.joint)
        case "swap":
            return Together(floor, clean.normal.mean, clean.normal.covariance)
        case "dependency" | "additive" | "multiplicative":
            return CellByCell(floor, kind, population, (clean.normal.mean, clean.normal.std))
    raise InputError(
        f"anomaly kind {kind.kind!r} has no likelihood, so its posterior cannot be computed; {ANSWERS_STILL}"
    )
