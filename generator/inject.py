"""Anomalies with known culprits in real rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal, get_args

import numpy as np

from xadbench import __version__
from xadbench.datasets.arrays import FloatArray, IntArray
from xadbench.datasets.errors import InputError, unknown
from xadbench.datasets.streams import stream
from xadbench.datasets.table import LabelledTable
from xadbench.generator.anomalies import AnomalyKind, Calibrated, Source, check_kinds
from xadbench.generator.columns import Columns, distinct
from xadbench.generator.draws import check_seed, permutation
from xadbench.generator.mixture import Mixture, fit_mixture
from xadbench.generator.plant import Planted, Streams, count_anomalies, label

Base = Literal["rows", "gmm"]
DEFAULT_KINDS = ("global", "local", "additive", "multiplicative")
MIN_ROWS = 10

COPYING = frozenset({"dependency", "swap"})  # take values of other rows as they are, in their own units
LEAVING = frozenset({"additive", "cluster", "global", "multiplicative"})  # may leave the range of integers
NEEDS_NETWORK = frozenset({"mechanism"})

REDRAWS, PATIENCE, SETS = 4, 50, 10  # draws a row, draws in vain before other features, affected sets a kind


def inject(
    table: LabelledTable,
    kinds: Iterable[str | AnomalyKind] = DEFAULT_KINDS,
    ratio: float = 0.05,
    base: Base = "rows",
    seed: int = 0,
) -> LabelledTable:
    """Turn a share of a table's distinct normal rows into anomalies whose culprits are known.

    The table's own anomalies and repetitions of a row are left out. Kinds work in units of each feature's
    standard deviation among the rows that stay; cells that they do not change keep their bits.

    Features keep their types: a constant feature is never affected; one of two values takes no third; one of
    integers is rounded half to even, and leaves its range only where the kind is a shift or a stretch
    (global, additive, multiplicative, cluster). A cell that comes out as it was is no culprit. A row without
    culprit is drawn again, then makes way for another row; where none will do, other features are affected.

    Parameters
    ----------
    table
        Real rows; at least 10 distinct normal ones, and at least 2 features that vary among them.
    kinds
        Names or models of anomaly kinds. "cluster" redraws all features from a Gaussian mixture fitted to the
        normal rows; since every feature is then to blame, it tells nothing about an explainer. What needs a
        network is refused: "mechanism", and strengths given as an AUC of the oracle.
    ratio
        Share of the rows that become anomalous, between 0 and 1.
    base
        "rows": the normal rows themselves. "gmm": as many rows sampled from a Gaussian mixture of 1 to 9
        components fitted to them, as in the paper, and given the types of the features; reproducible on one
        installation, not bit for bit across them, because the fit uses BLAS.
    seed
        At least 0.

    Returns
    -------
    LabelledTable
        With mask and clean twin; the source's provenance is kept under "source".

    Raises
    ------
    InputError
        If an argument is out of range, the table has too few normal rows or varying features, or a kind
        cannot change enough rows.
    """
    models = _check_models(check_kinds(kinds))
    _check(ratio, base)
    streams = partial(stream, check_seed(seed), "inject")
    rows = _normal_rows(table)
    count = count_anomalies(ratio, len(rows), len(models))
    real = _real_rows(rows, Columns.of(rows, table.feature_names), base, streams)
    planted = _plant(real, models, count, streams)
    provenance = {
        "generator": "inject",
        "xadbench": __version__,
        "base": base,
        "kinds": [model.model_dump(mode="json") for model in models],
        "ratio": ratio,
        "seed": int(seed),
        "source": table.provenance,
    }
    return label(planted, real.clean, models, provenance, table.feature_names)


@dataclass(frozen=True)
class _RealRows:
    """Clean rows (n, d), and their m varying features as sources of anomalies: as they are, standardised."""

    clean: FloatArray
    columns: Columns
    raw: Source
    standard: Source

    def change(
        self, kind: AnomalyKind, rows: IntArray, affected: IntArray, rng: np.random.Generator
    ) -> FloatArray:
        """Return the varying features of the clean `rows` (k,) as anomalies of that kind, (k, m)."""
        before = self.raw.rows[rows]
        if kind.kind in COPYING:
            return kind.change(rows, affected, self.raw, rng)
        z = self.standard.rows[rows]
        changed = kind.change(rows, affected, self.standard, rng)
        values = self.columns.back(changed, in_range=kind.kind not in LEAVING)
        return np.where(changed == z, before, values)  # to standard units and back may round


def _check_models(models: tuple[AnomalyKind, ...]) -> tuple[AnomalyKind, ...]:
    for model in models:
        if model.kind in NEEDS_NETWORK:
            raise InputError(f"anomaly kind {model.kind!r} needs a network; real rows come without one")
        if (model.affected.per, model.affected.along) != ("kind", "any"):
            raise InputError(
                f"anomaly kind {model.kind!r}: real rows take one affected set a kind, not along a graph"
            )
        if any(isinstance(value, Calibrated) for _, value in model):
            raise InputError(f"anomaly kind {model.kind!r}: oracle_auc needs a network; expected a number")
    return models


def _check(ratio: float, base: str) -> None:
    if not 0 < ratio < 1:
        raise InputError(f"ratio is {ratio}; expected a number between 0 and 1, both excluded")
    if base not in get_args(Base):
        raise unknown("base", base, get_args(Base))


def _normal_rows(table: LabelledTable) -> FloatArray:
    rows = distinct(table.X[~table.y])
    if len(rows) < MIN_ROWS:
        raise InputError(f"the table has {len(rows)} distinct normal rows; expected at least {MIN_ROWS}")
    return rows


def _real_rows(rows: FloatArray, columns: Columns, base: str, streams: Streams) -> _RealRows:
    real = columns.forward(rows[:, columns.varying])

    @cache  # fitted once, and only where something is drawn from it
    def mixture() -> Mixture:
        return fit_mixture(real, streams("mixture", "fit"))

    if base == "gmm":
        rows = rows.copy()
        rows[:, columns.varying] = columns.simulated(mixture().sample(len(rows), streams("mixture", "rows")))
    raw = np.ascontiguousarray(rows[:, columns.varying])
    z = columns.forward(raw)
    redraw = _redraw(mixture, streams("mixture", "cluster"))
    return _RealRows(rows, columns, Source(rows=raw, redraw=redraw), Source(rows=z, redraw=redraw))


def _redraw(mixture: Callable[[], Mixture], rng: np.random.Generator) -> Callable[[float, int], FloatArray]:
    """Return the source's way to draw fresh rows; its stream goes on, so that another try is another draw."""
    return lambda strength, n: mixture().scaled(strength).sample(n, rng)


def _plant(real: _RealRows, kinds: Sequence[AnomalyKind], count: int, streams: Streams) -> Planted:
    """Turn `count` rows into anomalies, split evenly over the kinds; a remainder goes to the first kinds."""
    X, labels = real.clean.copy(), np.zeros(len(real.clean), dtype=np.int8)
    order = permutation(len(X), streams("positions"))
    spare = order[count:]
    shares = np.array_split(order[:count], len(kinds))
    for number, (kind, rows) in enumerate(zip(kinds, shares, strict=True), start=1):
        found, values = _anomalies(real, kind, rows, spare, streams)
        _write(X, found, values, real.columns.varying)
        labels[found] = number
        spare = spare[~np.isin(spare, found)]
    return Planted(X, labels, X != real.clean)


def _write(X: FloatArray, rows: IntArray, values: FloatArray, columns: IntArray) -> None:
    """Write `values` to these rows and columns of `X`, but leave the bits of cells that are equal."""
    cells = np.ix_(rows, columns)
    X[cells] = np.where(X[cells] == values, X[cells], values)


def _anomalies(
    real: _RealRows, kind: AnomalyKind, rows: IntArray, spare: IntArray, streams: Streams
) -> tuple[IntArray, FloatArray]:
    """Return as many rows as `rows` and their values, (k,) and (k, m), each with a changed cell."""
    sets, values = streams(kind.kind, "affected"), streams(kind.kind, "values")
    for _ in range(SETS):
        affected = kind.draw_affected(len(real.columns.varying), sets)
        found = _fill(partial(real.change, kind, affected=affected, rng=values), real.raw.rows, rows, spare)
        if found is not None:
            return found
    raise InputError(
        f"anomaly kind {kind.kind!r} cannot change {len(rows)} of {len(real.clean)} normal rows: their "
        "features take too few values; expected another kind, a greater strength or a smaller ratio"
    )


def _fill(
    change: Callable[[IntArray], FloatArray], clean: FloatArray, rows: IntArray, spare: IntArray
) -> tuple[IntArray, FloatArray] | None:
    """Draw rows until none is a clean row: the same again, then a spare one; None if some always are.

    An anomaly that is some normal row to the bit would be none.
    """
    rows, values, normal = rows.copy(), clean[rows], set(_keys(clean))
    pending, attempt, last = np.arange(len(rows)), 0, 0
    while len(pending) and attempt < last + PATIENCE:
        if attempt and attempt % REDRAWS == 0:
            spare = _replace(rows, pending, spare)
        values[pending] = change(rows[pending])
        same = np.array([key in normal for key in _keys(values[pending])])
        attempt += 1
        last = last if same.all() else attempt
        pending = pending[same]
    return None if len(pending) else (rows, values)


def _keys(rows: FloatArray) -> list[bytes]:
    """Return a key for each row, the same for equal rows: adding 0.0 makes -0.0 one of them."""
    return [row.tobytes() for row in rows + 0.0]


def _replace(rows: IntArray, pending: IntArray, spare: IntArray) -> IntArray:
    """Put the next spare rows in the pending places, as far as they go; return the spare rows left."""
    fresh = spare[: len(pending)]
    rows[pending[: len(fresh)]] = fresh
    return spare[len(fresh) :]
