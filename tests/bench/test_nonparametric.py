"""How much the non-parametric detector adds to the search for neighbours that it rests on."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from xadbench.dsil import DTENonParametric

pytestmark = pytest.mark.bench


@pytest.mark.parametrize("statistic", ["mode", "mean"])
def test_scores_cost_little_more_than_the_neighbours(ratio, statistic):
    X = np.random.default_rng(0).standard_normal((50_000, 30))
    index = NearestNeighbors(n_neighbors=5).fit(X)
    # A fit scores X; beside the search there is arithmetic, and a search varies by some percent.
    assert ratio(lambda: DTENonParametric(statistic=statistic).fit(X), lambda: index.kneighbors(X)) <= 1.1
