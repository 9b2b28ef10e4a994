"""The ceiling: what can be known at best of which features are affected, and of whether any are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import TypeAdapter

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.table import LabelledTable
from xadbench.generator.anomalies.affected_features import AffectedSets
from xadbench.generator.anomalies.contextual import Dependency
from xadbench.generator.anomalies.registry import AnomalyKind, AnyAnomaly, Population

from .assignment import expected_ndcg_ranking
from .candidates import CandidateSearch
from .kind_models import ANSWERS_STILL, LARGEST_SET, MOST_SETS, clean_cells, kind_models
from .posterior import Enumeration, SetPosterior
from .set_prior import DrawnSets
from .table_sets import with_table_sets

if TYPE_CHECKING:
    from xadbench.generator.networks.additive import AdditiveNoiseNetwork

MARGIN_ROWS = 4096  # of a network, that tell what its rows are like
POINTS, POINTS_WEIGHTED = 64, 128  # of an integration; where the network's density weights them
MOST_REFINED, MOST_WEIGHTED, MOST_WEIGHTED_CANDIDATES = 256, 1000, 64
MOST_FEATURES = 100  # of a network that is not linear and Gaussian
MOST_IN_PAIRS = 128  # features of which all pairs are tried for candidates
MOST_DETECTED = 1000  # sets a row that the detector sums over; of more it takes candidates
DETECTED_CANDIDATES, DETECTED_WEIGHTED = 6, (200, 32)

Objective = Literal["ndcg_m", "acc_m"]


@dataclass(frozen=True, eq=False)
class BayesModel:
    """A network and the kinds of anomalies among its rows: what follows for a row.

    Parameters
    ----------
    enumeration
        The sums over kinds and sets.
    """

    enumeration: Enumeration

    @classmethod
    def of(
        cls, network: "AdditiveNoiseNetwork", kinds: Sequence[AnomalyKind], population: Population
    ) -> Self:
        """Return the model of a network whose clean rows are like `population`, with kinds as likely each.

        Raises
        ------
        InputError
            If the network has a cycle, or a node without a density; or if a kind's posterior cannot be
            computed.
        """
        clean = clean_cells(network, population.rows)
        if not clean.exact and len(network) > MOST_FEATURES:
            raise InputError(
                f"the network has {len(network)} nodes and is not linear and Gaussian; the posterior of such "
                f"networks is computed for up to {MOST_FEATURES}; network_heuristic ranks features without it"
            )
        models = kind_models(clean, kinds, population)
        model = cls(Enumeration(clean, models, POINTS, MOST_REFINED))
        if clean.exact:
            return model
        most = MOST_WEIGHTED if model._size()[0] <= MOST_DETECTED else MOST_WEIGHTED_CANDIDATES
        return cls(Enumeration(clean, models, POINTS_WEIGHTED, most))

    @classmethod
    def of_table(cls, network: "AdditiveNoiseNetwork", table: LabelledTable) -> Self:
        """Return the model of a simulated table: of its recipe's kinds, and of what its clean rows are like.

        The labels are not looked at, nor which rows differ from their clean twins. What kinds know of the
        clean rows is what the generator gives them: extremes, means, standard deviations, covariances.

        Raises
        ------
        InputError
            As of `of`; and if the provenance of the table has no recipe.
        """
        recipe = table.provenance.get("recipe")
        if not isinstance(recipe, Mapping) or table.clean is None:
            raise InputError(
                "the table's provenance has no recipe, so its kinds of anomalies are not known; "
                f"{ANSWERS_STILL}"
            )
        kinds = TypeAdapter(tuple[AnyAnomaly, ...]).validate_python(recipe["anomalies"])
        model = cls.of(network, kinds, Population(table.clean))
        return cls(with_table_sets(model.enumeration, table.X, recipe["anomaly_ratio"]))

    @classmethod
    def of_network(cls, network: "AdditiveNoiseNetwork") -> Self:
        """Return the model that knows the network alone: one to four cells have values from their margins."""
        kind = Dependency(affected=AffectedSets(size=(1, min(LARGEST_SET, len(network) - 1))), least_change=0)
        return cls.of(network, [kind], Population(network.simulate(MARGIN_ROWS, 0, purpose="oracle")))

    def posterior(self, X: FloatArray) -> SetPosterior:
        """Return what is known of rows (n, d), in the network's units, that are taken for anomalies."""
        n_sets, largest = self._size()
        if n_sets <= MOST_SETS and (self.enumeration.clean.exact or n_sets <= MOST_DETECTED):
            return self.enumeration.of(X)
        return CandidateSearch(self.enumeration, largest, pairs=X.shape[1] <= MOST_IN_PAIRS).of(X)

    def log_odds(self, X: FloatArray) -> FloatArray:
        """Return log p(x | anomaly) - log p(x | normal) of rows (n, d), (n,)."""
        n_sets, largest = self._size()
        most, points = (0, POINTS) if self.enumeration.clean.exact else DETECTED_WEIGHTED
        enumeration = replace(self.enumeration, most_refined=most, n_points=points)
        if n_sets <= MOST_DETECTED:
            return enumeration.of(X).log_odds
        pairs, few = X.shape[1] <= MOST_IN_PAIRS, DETECTED_CANDIDATES
        search = CandidateSearch(enumeration, largest, n_candidates=few, pairs=pairs, beam=0)
        return search.of(X).log_odds

    def _size(self) -> tuple[int, int]:
        """Return the largest number of sets of a kind, and their largest size."""
        drawn = [kind.prior for kind in self.enumeration.kinds if kind.kind.kind != "cluster"]
        largest = max((max(prior.sizes) for prior in drawn), default=1)
        return max((p.n_sets if isinstance(p, DrawnSets) else 0 for p in drawn), default=0), largest


class BayesExplainer:
    """The explainer that no other can beat in expectation, for rows in the network's units.

    Parameters
    ----------
    model
        What it knows.
    objective
        What its ranking maximises in expectation: "ndcg_m", the adjusted nDCG_m; "acc_m", the order of the
        features' probabilities.
    """

    def __init__(self, model: BayesModel, objective: Objective = "ndcg_m") -> None:
        self.model, self.objective = model, objective

    def fit(self, detector: object, background: FloatArray) -> Self:  # noqa: ARG002  # the protocol's names
        """Do nothing: neither is looked at."""
        return self

    def explain(self, X: FloatArray) -> FloatArray:
        """Return the attributions (n, d) of rows (n, d); higher is more probably affected."""
        found = self.model.posterior(np.asarray(X, dtype=float))
        return expected_ndcg_ranking(found.by_size) if self.objective == "ndcg_m" else found.marginal
