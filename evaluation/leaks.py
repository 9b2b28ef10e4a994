"""Leak controls: what names the ground truth without a detector, a model or a thought.

Each control ranks the features of an anomalous row by something that should tell nothing: how a number is
written, how often it occurs, where the row stands. A score above its null means that the table can be
explained by that alone.

The null is what the control scores where the same rows hold the ground truth elsewhere: a set of the same
size, drawn anew in each row over the features that vary, whose values are drawn from those that the kind
put into the column, and written as clean cells of that size are. So a column of few levels, on which a
changed cell cannot be quite as common as an unchanged one, has a null above 0.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from xadbench.datasets import LabelledTable, read_table
from xadbench.datasets.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.streams import stream
from xadbench.evaluation import metrics
from xadbench.generator.anomalies import KINDS
from xadbench.generator.columns import FEW_LEVELS, nearest
from xadbench.generator.lattice import MOST_DIGITS, significant_digits

OVERALL = "all"
EXCESS, FAMILY_WISE_P = 0.05, 0.01  # a leak exceeds its null by more, with less
DRAWS = 40  # of the null
MOST_ROWS = 10_000  # clean cells a column that stand for all
WINDOW = 10  # clean cells on each side of a value that are written as it could be,
NEAR = 0.05  # if they are within so many standard deviations
NEXT = 3  # values put in on each side of a clean value that none of them took the place of
NEAREST = 5  # anomalies in the file that stand for the neighbourhood of one
OF_MARGINS = ("rarity", "inverse repetition")  # shown by kinds whose point is to move the margin
COLUMNS = ["kind", "control", "rows", "score", "null", "excess", "p", "exempt"]


def leak_controls(table: LabelledTable, seed: int = 0) -> pd.DataFrame:
    """Return what each leak control scores on a table's anomalies, and on its null.

    Parameters
    ----------
    table
        With a mask and clean twin.
    seed
        Of the null draws and the halves of rows.

    Returns
    -------
    DataFrame
        A row for each kind of anomaly, and for all of them ("all"), and each control: `rows`, those that have
        both ground truth and other features; `score`, the control's mean chance-adjusted nDCG_m over them;
        `null`, its mean over 40 draws of the null; `excess`, the difference; `p`, one-sided, of that excess;
        `exempt`, whether it is shown and never a leak: the rarity of kinds that move the margin, and all
        controls where the paper's protocol takes one affected set for a whole table. Empty if no row tells.
    """
    if table.mask is None or table.clean is None or not table.y.any():
        return pd.DataFrame(columns=COLUMNS)
    rng = stream(seed, "leaks")
    found = _Anomalies.of(table)
    halves = rng.random(len(found.rows)) < 0.5
    groups = {OVERALL: np.ones(len(found.rows), dtype=np.bool_)} | {
        table.kinds[kind]: found.kind == kind for kind in np.unique(found.kind)
    }
    actual = _scores(found, groups, halves)
    natural = _Natural.of(table, found)
    null = [_scores(natural.draw(rng), groups, halves) for _ in range(DRAWS)]
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
                "exempt": exempt(group, control),
            }
        )
    return pd.DataFrame(records, columns=COLUMNS)


def judged(controls: pd.DataFrame) -> pd.DataFrame:
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
    """Return the controls of `leak_controls`, of one table or of many, that are leaks; see `judged`."""
    found = judged(controls.reset_index(drop=True))
    return found[found["verdict"] == "leak"]


def worst(controls: pd.DataFrame) -> pd.DataFrame:
    """Return, judged, the row of each control that most exceeds its null, the largest excess first."""
    found = judged(controls.reset_index(drop=True))
    ordered = found.sort_values("excess", ascending=False, kind="stable")
    leading = ordered.sort_values("verdict", key=lambda column: column != "leak", kind="stable")
    return leading.drop_duplicates("control").sort_values("excess", ascending=False, ignore_index=True)


def summary(controls: pd.DataFrame) -> str:
    """Return in a line which controls of a table stand above their null, over all anomalies."""
    of_all = controls[controls["kind"] == OVERALL]
    if not len(of_all):
        return "no row has both ground truth and other features"
    high = of_all[(of_all["excess"] > EXCESS) & (of_all["score"] > EXCESS) & (of_all["p"] < FAMILY_WISE_P)]
    high = high.sort_values("score", ascending=False)
    named = [f"{row.control} {row.score:.2f} (null {row.null:.2f})" for row in high.itertuples()]
    found = leaks(controls)
    if len(found):
        return f"LEAK: {', '.join(named or sorted(set(found['control'])))}"
    return f"{', '.join(named)}; shown, not judged" if named else "none above its null"


class LeakFound(Exception):
    """The ground truth of a table can be told by how or where its numbers are written."""


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
    return pd.DataFrame(lines, columns=["table", "leak controls"]).to_markdown(index=False)


def exemptions(table: LabelledTable) -> Callable[[str, str], bool]:
    """Return whether a kind's control is shown without being judged, by the table's provenance."""
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


class _Written(NamedTuple):
    """How cells are written, each (n, d): occurrences in the column, digits, single precision, minus zero."""

    count: IntArray
    digits: IntArray
    single: BoolArray
    minus_zero: BoolArray

    @classmethod
    def of(cls, X: FloatArray, rows: IntArray) -> "_Written":
        """Return how the cells of these rows are written, in a table `X` of which they are a part."""
        count, digits = np.empty((2, len(rows), X.shape[1]), dtype=np.int64)
        for j, column in enumerate(X.T):
            values, counts = np.unique(column, return_counts=True)
            position = np.searchsorted(values, column[rows])
            count[:, j] = counts[position]
            own, back = np.unique(column[rows], return_inverse=True)
            digits[:, j] = np.array([significant_digits(value) for value in own.tolist()])[back]
        cells = X[rows]
        with np.errstate(over="ignore"):
            single = cells == cells.astype(np.float32)
        return cls(count, digits, single, np.signbit(cells) & (cells == 0))

    def take(self, cells: tuple[IntArray, IntArray]) -> "_Written":
        """Return how the cells at some positions are written, each (k,)."""
        return _Written(*(part[cells] for part in self))

    def controls(self, clean: "_Written") -> dict[str, FloatArray]:
        """Return attributions (r, d): how rare it is in a column to be written so, both ways round."""
        parts = {
            "rarity": (-self.count, -clean.count),
            "repetition": (self.count > 1, clean.count > 1),
            "digits": (self.digits, clean.digits),
            "single_precision": (self.single, clean.single),
            "minus_zero": (self.minus_zero, clean.minus_zero),
        }
        found = {}
        for name, (own, of_column) in parts.items():
            found[name] = _surprise(own, of_column)
            found[f"inverse {name}"] = _surprise(
                np.negative(own.astype(int)), np.negative(of_column.astype(int))
            )
        return found


def _surprise(values: FloatArray, reference: FloatArray) -> FloatArray:
    """Return -log of the share of a column's reference cells (n, d) that are at least as large, (r, d)."""
    ordered = np.sort(reference, axis=0)
    below = np.stack(
        [np.searchsorted(column, own) for column, own in zip(ordered.T, values.T, strict=True)], 1
    )
    return -np.log((len(ordered) - below + 1.0) / (len(ordered) + 1.0))


@dataclass(frozen=True, eq=False)
class _Anomalies:
    """Anomalous rows (r,) of a table of which only some features are ground truth, or a null draw of them.

    `X`, `mask`: (r, d). `written`: how their cells are written; `reference`: how cells of the table are.
    `mean`, `std`: of the table's columns.
    """

    rows: IntArray
    kind: IntArray
    X: FloatArray
    mask: BoolArray
    written: _Written
    reference: _Written
    mean: FloatArray
    std: FloatArray

    @classmethod
    def of(cls, table: LabelledTable) -> "_Anomalies":
        mask: BoolArray = table.mask  # type: ignore[assignment]  # the caller saw to it
        rows = np.flatnonzero(table.y & ~mask.all(axis=1))
        std = table.X.std(axis=0)
        return cls(
            rows,
            table.kind[rows].astype(np.int64),
            table.X[rows],
            mask[rows],
            _Written.of(table.X, rows),
            _Written.of(table.X, _spread(table.n_rows)),
            table.X.mean(axis=0),
            np.where(std > 0, std, 1.0),
        )


def _spread(n_rows: int) -> IntArray:
    """Return the numbers of at most MOST_ROWS rows at equal distances."""
    return np.arange(0, n_rows, -(-n_rows // MOST_ROWS))


@dataclass(frozen=True, eq=False)
class _Natural:
    """What the null draws from: the anomalies, and clean cells.

    `clean`: the clean rows of the anomalies (r, d), `written` as they are. `cells`: clean cells (n, d),
    each column ascending, `of_cells` as they are written. `few`: columns (d,) of few values. `put_in`: by
    kind and column, the values put in.
    """

    found: _Anomalies
    clean: FloatArray
    written: _Written
    cells: FloatArray
    of_cells: _Written
    varies: BoolArray
    few: BoolArray
    put_in: Mapping[int, list["_Pool"]]

    @classmethod
    def of(cls, table: LabelledTable, found: _Anomalies) -> "_Natural":
        clean: FloatArray = table.clean  # type: ignore[assignment]  # the caller saw to it
        chosen = _spread(table.n_rows)
        written = _Written.of(clean, chosen)
        order = np.argsort(clean[chosen], axis=0, kind="stable")
        of_cells = _Written(*(np.take_along_axis(part, order, axis=0) for part in written))
        cells = np.take_along_axis(clean[chosen], order, axis=0)
        own = clean[found.rows]
        put_in = {
            int(kind): [
                _Pool.of(found.X[put, j], own[put, j], cells[:, j])
                for j, put in enumerate((found.mask & (found.kind == kind)[:, None]).T)
            ]
            for kind in np.unique(found.kind)
        }
        varies = clean.min(axis=0) != clean.max(axis=0)
        few = np.array([len(np.unique(column)) <= FEW_LEVELS for column in clean.T])
        return cls(found, own, _Written.of(clean, found.rows), cells, of_cells, varies, few, put_in)

    def draw(self, rng: np.random.Generator) -> _Anomalies:
        """Return the anomalies with their ground truth elsewhere, and values written as clean cells are."""
        found = self.found
        order = np.where(self.varies, rng.random(self.clean.shape), 2.0)
        ranks = np.argsort(np.argsort(order, axis=1), axis=1)
        mask = (ranks < found.mask.sum(axis=1, keepdims=True)) & (order < 2)
        X, written = self.clean.copy(), _Written(*(part.copy() for part in self.written))
        for j in np.flatnonzero(mask.any(axis=0)):
            for kind, pools in self.put_in.items():
                own = mask[:, j] & (found.kind == kind)
                X[own, j] = pools[j].values_for(self.clean[own, j], rng)
            own = mask[:, j]
            cells = self._alike(X[own, j], int(j), rng)
            for part, natural in zip(written, self.of_cells, strict=True):
                part[own, j] = natural[cells, j]
            written.digits[own, j] = _with_decimals(written.digits[own, j], self.cells[cells, j], X[own, j])
            if self.few[j]:  # one more of a level that is there
                written.count[own, j] += 1
        return _Anomalies(found.rows, found.kind, X, mask, written, self.of_cells, found.mean, found.std)

    def _alike(self, values: FloatArray, j: int, rng: np.random.Generator) -> IntArray:
        """Return for each value (k,) one of the column's clean cells that hold it or are next to it.

        Only those near by in value count too; beyond the range all that are next do.
        """
        cells = self.cells[:, j]
        first = np.searchsorted(cells, values, "left") - WINDOW
        last = np.searchsorted(cells, values, "right") + WINDOW
        picked = first + np.floor(rng.random(len(values)) * (last - first)).astype(np.int64)
        picked = picked.clip(0, len(cells) - 1)
        outside = (values < cells[0]) | (values > cells[-1])
        near = np.abs(cells[picked] - values) <= NEAR * self.found.std[j]
        return np.where(near | outside, picked, nearest(cells, values))


def _with_decimals(digits: IntArray, cells: FloatArray, values: FloatArray) -> IntArray:
    """Return how many digits values (k,) have with as many decimals as cells of so many digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        larger = np.floor(np.log10(np.abs(values))) - np.floor(np.log10(np.abs(cells)))
    is_short = (digits <= MOST_DIGITS) & np.isfinite(larger)
    return np.where(is_short, digits + np.where(is_short, larger, 0), digits).astype(np.int64)


class _Pool(NamedTuple):
    """The values that a kind put into a column, by the clean ones that they took the place of, ascending."""

    clean: FloatArray
    values: FloatArray

    @classmethod
    def of(cls, X: FloatArray, clean: FloatArray, cells: FloatArray) -> "_Pool":
        """Return the pool of a column (k,); where nothing was put in, clean cells stand for both."""
        if not len(X):
            return cls(cells, cells[::-1])
        order = np.argsort(clean, kind="stable")
        return cls(clean[order], X[order])

    def values_for(self, clean: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return values (k,) in place of `clean` ones: what took the place of that, or of one next to it."""
        first, last = np.searchsorted(self.clean, clean, "left"), np.searchsorted(self.clean, clean, "right")
        none = first == last
        first, last = np.where(none, first - NEXT, first), np.where(none, last + NEXT, last)
        picked = first + np.floor(rng.random(len(clean)) * (last - first)).astype(np.int64)
        return self.values[picked.clip(0, len(self.values) - 1)]


Key = tuple[str, str]


def _scores(
    found: _Anomalies, groups: Mapping[str, BoolArray], halves: BoolArray
) -> dict[Key, tuple[float, int]]:
    """Return each control's mean adjusted nDCG_m over each group of rows, and how many rows there are."""
    informative = found.mask.any(axis=1) & ~found.mask.all(axis=1)
    everywhere = found.written.controls(found.reference)
    per_row = {name: _adjusted(attributions, found.mask) for name, attributions in everywhere.items()}
    scores = {}
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


def _learnt(found: _Anomalies, used: BoolArray, halves: BoolArray) -> dict[str, FloatArray]:
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
