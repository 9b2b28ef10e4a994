"""The oracle against all explainers that are fast enough: python docs/results/ceiling.py [RECIPE ...].

Adjusted nDCG_m over all anomalies of the tables of seeds 100-119 of each contextual recipe, and the AUC-ROC
of the two detectors that know the network. Writes ceiling.csv beside this file, a table at a time, and goes
on where it was stopped; then prints means, and by how much each explainer differs from the oracle.

`surprise_ridge` and `mahalanobis` look at no detector. `dsil_repair`, on ten features alone, repairs by
-log p of the network, so by a better score than that of any trained detector.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.threads import one_thread
from xadbench.evaluation import metrics
from xadbench.evaluation.explainers import make_explainer
from xadbench.generator import generate, load_recipe
from xadbench.generator.oracle.assignment import expected_ndcg_ranking
from xadbench.generator.oracle.bayes import BayesModel
from xadbench.generator.oracle.heuristic import Sequential
from xadbench.generator.oracle.network_density import NetworkDensity
from xadbench.generator.simulation import network_of

RECIPES, SEEDS = ("contextual-d10", "contextual-d30", "contextual-d100"), range(100, 120)
FAST = ("z_score", "mahalanobis", "surprise_ridge", "random")
RESULTS = Path(__file__).with_suffix(".csv")


@one_thread()
def ceiling(name: str, seed: int) -> dict[str, float]:
    """Return the scores on one table."""
    table, network = generate(name, seed), network_of(load_recipe(name), seed)
    mask, X = table.mask[table.y], table.X[table.y]
    density = NetworkDensity(network)

    def adjusted(attributions: FloatArray) -> float:
        return float(np.nanmean(metrics.adjusted(metrics.ndcg_m(attributions, mask), mask)))

    start = time.perf_counter()
    model = BayesModel.of_table(network, table)
    known = model.posterior(X)
    seconds = time.perf_counter() - start
    scores = {
        "oracle": adjusted(expected_ndcg_ranking(known.by_size)),
        "oracle_network": adjusted(
            expected_ndcg_ranking(BayesModel.of_network(network).posterior(X).by_size)
        ),
        "network_heuristic": adjusted(Sequential(network).fit(density, table.X).explain(X)),
    }
    names = (*FAST, "dsil_repair") if name == "contextual-d10" else FAST
    for one in names:
        explainer = make_explainer(one, random_state=seed).fit(density, background=table.X)
        scores[one] = adjusted(explainer.explain(X))
    return scores | {
        "oracle_auc_roc": metrics.auc_roc(model.log_odds(table.X), table.y),
        "network_density_auc_roc": metrics.auc_roc(density.decision_function(table.X), table.y),
        "unsure": float(known.is_unsure.mean()),
        "largest_error": float(known.error.max()),
        "mean_left_out": float(known.left_out.mean()),
        "largest_left_out": float(known.left_out.max()),
        "oracle_seconds": seconds,
    }


def main(recipes: tuple[str, ...]) -> None:
    """Run what is not there yet, and print what it comes to."""
    done = pd.read_csv(RESULTS) if RESULTS.exists() else pd.DataFrame({"recipe": [], "seed": []})
    for seed in SEEDS:
        for name in recipes:
            if ((done["recipe"] == name) & (done["seed"] == seed)).any():
                continue
            own = pd.DataFrame([{"recipe": name, "seed": seed} | ceiling(name, seed)])
            done = pd.concat([done, own], ignore_index=True)
            done.to_csv(RESULTS, index=False, float_format="%.4f")
            print(name, seed, flush=True)  # noqa: T201  # a script
    for name, own in done.groupby("recipe", sort=False):
        print(f"\n{name}, {len(own)} seeds")  # noqa: T201  # as above
        print(own.drop(columns=["recipe", "seed"]).mean().round(3).to_string())  # noqa: T201  # as above
        for other in own.columns[own.columns.get_loc("oracle") + 1 : own.columns.get_loc("oracle_auc_roc")]:
            lead = (own["oracle"] - own[other]).dropna()
            error = lead.std() / np.sqrt(len(lead)) if len(lead) > 1 else float("nan")
            print(f"oracle - {other}: {lead.mean():.3f}, standard error {error:.3f}")  # noqa: T201  # as above


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or RECIPES)
