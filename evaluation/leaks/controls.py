"""Leak controls: what names the ground truth without a detector, a model or a thought.

Each control ranks the features of an anomalous row by something that should tell nothing: how a number is
written, how often it occurs, where the row stands. A score above its null means that the table can be
explained by that alone.

The null is what the control scores where the same rows hold the ground truth elsewhere: a set of the same
size, drawn again in each row over the features that vary, whose values are drawn from those that the kind
put into the column, and written as clean cells of that size are. So a column of few levels, on which a
changed cell cannot be quite as common as an unchanged one, has a null above 0.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from xadbench.datasets import LabelledTable, read_table
from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.common.rendering import as_markdown
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.rng import stream
from xadbench.evaluation import metrics
from xadbench.generator.anomalies.registry import KINDS

from .null import Anomalies, Natural

OVERALL = "all"
EXCESS, FAMILY_WISE_P = 0.05, 0.01  # a leak exceeds its null by more, with less
DRAWS = 40  # of the null
LEAST_ROWS = 10  # behind a mean that is tested
NEAREST = 5  # anomalies in the file that stand for the neighbourhood of one
OF_MARGINS = ("rarity", "inverse repetition")  # shown by kinds whose point is to move the margin
COLUMNS = ["kind", "control", "rows", "score", "null", "excess", "p", "exempt"]


@one_thread()
def leak_controls(table: LabelledTable, seed: int = 0, n_draws: int = DRAWS) -> pd.DataFrame:
    """Return what each leak control scores on a table's anomalies, and on its null.

    Parameters
    ----------
    table
        With a mask and clean twin.
    seed
        Of the null draws and the halves of rows.
    n_draws
        How often the null is drawn, at least 2.

    Returns
    -------
    DataFrame
        A row for each kind of anomaly, and for all of them ("all"), and each control: `rows`, those that have
        both ground truth and other features; `score`, the control's mean chance-adjusted nDCG_m over them;
        `null`, its mean over the draws of the null; `excess`, the difference; `p`, one-sided, of that excess;
        `exempt`, whether it is shown and never a leak: the rarity of kinds that move the margin, all
        controls where the paper's protocol takes one affected set for a whole table, and what fewer than 10
        rows tell, over which a mean is far from normal. Empty if no row tells.
    """
    if table.mask is None or table.clean is None or not table.y.any():
        return pd.DataFrame(columns=COLUMNS)
    rng = stream(seed, "leaks")
    found = Anomalies.of(table)
    halves = rng.random(len(found.rows)) < 0.5
    groups = {OVERALL: np.ones(len(found.rows), dtype=np.bool_)} | {
        table.kinds[kind]: found.kind == kind for kind in np.unique(found.kind)
    }
    actual = _scores(found, groups, halves)
    natural = Natural.of(table, found)
    null = [_scores(natural.draw(rng), groups, halves) for _ in range(n_draws)]
    exempt = exemptions(table)
    records = []
    for (group, control), (score, rows) in actual.items():
        draws = np.array([one[group, control][0] for one in null])
        records.append(
            {
                "kind": group,
                "control": control,
                "rows": rows,
                "score": score,
                "null": draws.mean(),
                "excess": score - draws.mean(),
                "p": _p_value(score, draws),
                "exempt": rows < LEAST_ROWS or exempt(group, control),
            }
        )
    return pd.DataFrame(records, columns=COLUMNS)


def verdicts(controls: pd.DataFrame) -> pd.DataFrame:
    """Return the controls of `leak_controls`, of one table or of many, with a verdict on each.

    Added are `family_wise_p`, Holm's over all that are not exempt, and `verdict`: "leak" where a control
    exceeds its null by more than 0.05, with a family-wise p below 0.01; "shown" where it is exempt;
    otherwise "at its null". One that scores no better than chance gives nothing away, whatever its null.
    """
    exempt = controls["exempt"].astype(bool)
    adjusted = pd.Series(np.nan, index=controls.index)
    if not exempt.all():
        adjusted[~exempt] = multipletests(controls["p"][~exempt].astype(float), method="holm")[1]
    leak = (controls["excess"] > EXCESS) & (controls["score"] > 0) & (adjusted < FAMILY_WISE_P)
    verdict = np.select([exempt, leak], ["shown", "leak"], "at its null")
    return controls.assign(family_wise_p=adjusted, verdict=verdict)


def leaks(controls: pd.DataFrame) -> pd.DataFrame:
    """Return the controls of `leak_controls`, of one table or of many, that are leaks; see `verdicts`."""
    found = verdicts(controls.reset_index(drop=True))
    return found[found["verdict"] == "leak"]


def worst(controls: pd.DataFrame) -> pd.DataFrame:
    """Return, evaluated, the row of each control that most exceeds its null, the largest excess first."""
    found = verdicts(controls.reset_index(drop=True))
    ordered = found.sort_values("excess", ascending=False, kind="stable")
    leading = ordered.sort_values("verdict", key=lambda column: column != "leak", kind="stable")
    return leading.drop_duplicates("control").sort_values("excess", ascending=False, ignore_index=True)


def summary(controls: pd.DataFrame) -> str:
    """Return in a line which controls of a table stand above their null, over all anomalies."""
    of_all = controls[controls["kind"] == OVERALL]
    if not len(of_all):
        return "no row has both ground truth and other features"
    found = leaks(controls)
    if len(found):
        return f"LEAK: {', '.join(sorted(set(found['control'])))}"
    high = (of_all["excess"] > EXCESS) & (of_all["score"] > EXCESS) & (of_all["p"] < FAMILY_WISE_P)
    shown = of_all[high & of_all["exempt"].astype(bool)].sort_values("score", ascending=False)
    named = [f"{row.control} {row.score:.2f} (null {row.null:.2f})" for row in shown.itertuples()]
    return f"{', '.join(named)}; shown, not evaluated" if named else "none above its null"


class LeakFound(Exception):
    """The ground truth of a table can be inferred from how or where its numbers are written."""


def check_leaks(tables: Mapping[str, LabelledTable | Path]) -> str:
    """Return, in Markdown, the leak controls of tables under their names.

    Raises
    ------
    LeakFound
        If a control exceeds its null; one line that names table, kind, control and figures.
    """
    parts = []
    for name, table in tables.items():
        loaded = read_table(table) if isinstance(table, Path) else table
        parts.append(leak_controls(loaded).assign(table=name))
    controls = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*COLUMNS, "table"])
    found = leaks(controls)
    for row in found.sort_values("excess", ascending=False).itertuples():
        figures = f"{row.score:.3f}, its null {row.null:.3f} (family-wise p {row.family_wise_p:.2g})"
        raise LeakFound(
            f"{row.table}: leak control {row.control!r} scores on {row.kind!r} anomalies {figures}; "
            f"{len(found)} such in all"
        )
    lines = [[name, summary(of)] for name, of in controls.groupby("table", sort=False)]
    return as_markdown(pd.DataFrame(lines, columns=["table", "leak controls"]))


def exemptions(table: LabelledTable) -> Callable[[str, str], bool]:
    """Return whether a kind's control is shown without being evaluated, by the table's provenance."""
    recipe = table.provenance.get("recipe", {})
    planted: Iterable[Mapping[str, Any]] = recipe.get("anomalies", table.provenance.get("kinds", ()))
    published = {one["kind"] for one in planted if one.get("affected", {}).get("per") == "kind"}
    margins = {kind for kind in table.kinds if kind in KINDS and KINDS[kind].moves_margin}

    def exempt(kind: str, control: str) -> bool:
        kinds = set(table.kinds[1:]) if kind == OVERALL else {kind}
        return bool(kinds & published or (kinds & margins and control in OF_MARGINS))

    return exempt


def _p_value(score: float, draws: FloatArray) -> float:
    """Return how often a score of the null is as high, taken as normal with the spread of its draws."""
    spread = float(draws.std(ddof=1)) * np.sqrt(1 + 1 / len(draws))
    if spread < 1e-12:
        return float(score <= draws.mean() + 1e-12)
    return float(student.sf((score - draws.mean()) / spread, len(draws) - 1))


Key = tuple[str, str]


def _scores(
    found: Anomalies, groups: Mapping[str, BoolArray], halves: BoolArray
) -> dict[Key, tuple[float, int]]:
    """Return each control's mean adjusted nDCG_m over each group of rows, and how many rows there are."""
    informative = found.mask.any(axis=1) & ~found.mask.all(axis=1)
    everywhere = found.reference.attributions(found.written)
    per_row = {name: _adjusted(attributions, found.mask) for name, attributions in everywhere.items()}
    scores: dict[Key, tuple[float, int]] = {}
    for group, chosen in groups.items():
        used = chosen & informative
        if not used.any():
            continue
        own = {name: values[used] for name, values in per_row.items()}
        for name, attributions in _learnt(found, used, halves).items():
            own[name] = _adjusted(attributions, found.mask[used])
            own[f"inverse {name}"] = _adjusted(-attributions, found.mask[used])
        scores |= {(group, name): (float(values.mean()), len(values)) for name, values in own.items()}
    return scores


def _adjusted(attributions: FloatArray, mask: BoolArray) -> FloatArray:
    return metrics.adjusted(metrics.ndcg_m(attributions, mask), mask)


def _learnt(found: Anomalies, used: BoolArray, halves: BoolArray) -> dict[str, FloatArray]:
    """Return attributions of the rows used that are the same for all, or learnt on the other half of them."""
    mask, half, position = found.mask[used].astype(float), halves[used], found.rows[used]
    z = np.abs(found.X[used] - found.mean) / found.std
    columns, row_order = np.zeros((2, *mask.shape))
    for test in (half, ~half):
        if test.any() and not test.all():
            columns[test] = mask[~test].mean(axis=0)
            distance = np.abs(position[test][:, None] - position[~test][None, :])
            nearest = np.argsort(distance, axis=1, kind="stable")[:, :NEAREST]
            row_order[test] = mask[~test][nearest].mean(axis=1)
    return {"columns": columns, "row_order": row_order, "batch": np.tile(z.mean(axis=0), (len(mask), 1))}
