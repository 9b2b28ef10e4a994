"""A program that uses the public interface, as a user's type checker sees it; never run."""

from pathlib import Path
from typing import assert_type

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import xadbench
from xadbench import (
    compare,
    generate,
    inject,
    leaderboard,
    load_recipe,
    plot,
    report,
    run_suite,
    score_explainer,
)
from xadbench.datasets import LabelledTable, content_hash, load_bundled, read_table, standardise, write_table
from xadbench.dsil import DSIL, DTE, DiffusionPerturbation
from xadbench.evaluation import metrics


def my_explainer(
    detector: object, background: NDArray[np.float64], X: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Attribute by distance from the median."""
    distance: NDArray[np.float64] = np.abs(X - np.median(background, axis=0))
    return distance


def program(folder: Path) -> None:
    """Go through the interface."""
    assert_type(xadbench.__version__, str)
    table = standardise(generate("contextual-d10", seed=0))
    assert_type(generate(load_recipe("table2-d10-5"), seed=0), LabelledTable)
    assert_type(inject(load_bundled("wine"), kinds=["global"]), LabelledTable)
    assert_type(inject(np.eye(20)), LabelledTable)
    assert_type(table.to_pandas(), pd.DataFrame)
    assert_type(write_table(table, folder), Path)
    assert_type(content_hash(read_table(folder)), str)
    detector = DSIL(DTE(method="categorical"), retention="fixed", random_state=0).fit(table.X)
    assert_type(detector, DSIL)
    explainer = DiffusionPerturbation(aggregate="mean").fit(detector, background=table.X)
    attributions = explainer.explain(table.X[table.y])
    assert_type(attributions, NDArray[np.float64])
    if table.mask is not None:
        assert_type(metrics.ndcg_m(attributions, table.mask[table.y]), NDArray[np.float64])
        plot.attributions(attributions[0], table.feature_names, table.mask[table.y][0]).show()
    for one in ("z_score", my_explainer, explainer):
        assert_type(score_explainer(one, detector, table), pd.DataFrame)
    assert_type(score_explainer("z_score", "iforest", table), pd.DataFrame)
    records = run_suite("quick", folder / "run", workers=2)
    assert_type(leaderboard(records), pd.DataFrame)
    assert_type(leaderboard(folder / "run", by=["table"]), pd.DataFrame)
    assert_type(compare("shipped:quick", folder / "run").passed, bool)
    assert_type(report(folder / "run"), Path)
    plot.leaderboard(records).write_html(folder / "leaderboard.html")
    plot.cost(folder / "run")
