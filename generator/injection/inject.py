"""Anomalies with known ground truth in real rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from xadbench import __version__
from xadbench.datasets.common.arrays import BoolArray, FloatArray, IntArray
from xadbench.datasets.common.errors import Infeasible, InputError, check_all, find
from xadbench.datasets.rng import stream
from xadbench.datasets.table import LabelledTable, as_table
from xadbench.generator.anomalies.insertion import Effort, Planted, Planting, Streams, count_anomalies, label
from xadbench.generator.anomalies.published import as_published
from xadbench.generator.anomalies.registry import KINDS, AnomalyKind, Calibrated, Donors, Source, check_kinds
from xadbench.generator.draws import check_seed, permutation

from .feature_types import Columns, distinct
from .gaussian_mixture import Mixture, fit_mixture

Base = Literal["rows", "gmm"]
Protocol = Literal["per-row", "paper", "published"]
DEFAULT_KINDS = ("global", "local", "additive", "multiplicative")
MIN_ROWS = 10

NEEDS_NETWORK = frozenset({"mechanism"})
INJECTABLE = tuple(kind for kind in KINDS if kind not in {*NEEDS_NETWORK, "cluster"})  # that tell something

REDRAWS, PATIENCE, SETS = 4, 50, 10  # draws a row, draws in vain before other features, affected sets a kind


def inject(  # noqa: PLR0917  # the public settings
    table: LabelledTable | ArrayLike,
    kinds: Iterable[str | AnomalyKind] = DEFAULT_KINDS,
    ratio: float = 0.05,
    base: Base = "rows",
    seed: int = 0,
    protocol: Protocol = "per-row",
) -> LabelledTable:
    """Turn a share of a table's distinct normal rows into anomalies with known ground truth.

    The table's own anomalies and repetitions of a row are left out. Kinds work in units of each feature's
    standard deviation among the rows that stay; cells that they do not change keep their bits.

    No value tells by how it is written that it was put in. A new value lies in the domain that its column
    shows, see `columns.Domain`: on its lattice, of its sign, within bounds that many rows hold, and one of
    the values seen where the column takes few. The kinds that move the margin (global, additive,
    multiplicative, cluster) may leave the range of the values seen, the others not. The kinds that copy
    values of other rows (dependency, swap) take them from normal rows that are held out for that and then
    dropped.

    Every affected cell differs from the clean one by the kind's `least_change`: see `plant.Planting`. A row
    that comes out as some normal row is drawn again, then makes way for another row. The provenance counts
    the cells that were drawn again or stretched, by kind, under "efforts".

    Parameters
    ----------
    table
        Real rows; at least 10 distinct normal ones, and at least 2 features that vary among them. An array
        (n, d) or a DataFrame: normal rows alone.
    kinds
        Names or models of anomaly kinds. "cluster" redraws all features from a Gaussian mixture fitted to
        the normal rows; since every feature is then in the ground truth, it tells nothing about an
        explainer. What needs a network is refused: "mechanism", and strengths given as an AUC of the
        oracle.
    ratio
        Share of the rows that become anomalous, between 0 and 1.
    base
        "rows": the normal rows themselves. "gmm": as many rows sampled from a Gaussian mixture of 1 to 9
        components fitted to them, as in the paper, and given the types of the features; reproducible on one
        installation, not bit for bit across them, because the fit uses BLAS.
    seed
        At least 0.
    protocol
        "per-row": each anomaly has affected features of its own, unless its kind says otherwise. "paper":
        all of a kind have the same ones, and any change will do, as published; a fixed ranking of the
        columns then names many of them. "published": as "paper", and with `base="gmm"` local widens the
        variances of the mixture's components and not their covariances, as the published code does.

    Returns
    -------
    LabelledTable
        With mask and clean twin; the source's provenance is kept under "source".

    Raises
    ------
    InputError
        If an argument is out of range, or the table has too few normal rows or varying features.
    Unattainable
        If a kind cannot change enough rows.
    """
    models = check_settings(kinds, ratio, base, protocol)
    table = as_table(table, "table")
    streams = partial(stream, check_seed(seed), "inject")
    rows = _normal_rows(table)
    rows, donors = _hold_out(rows, models, ratio, streams("donors"))
    count = count_anomalies(ratio, len(rows), len(models))
    columns = Columns.of(rows, table.feature_names)
    real = _real_rows(rows, donors, columns, base, streams)
    if protocol == "published" and base == "gmm":
        real = replace(real, standard=replace(real.standard, component_stds=real.component_stds))
    planted = _plant(real, models, count, streams, table.feature_names)
    provenance = {
        "generator": "inject",
        "xadbench": __version__,
        "base": base,
        "protocol": protocol,
        "kinds": [model.model_dump(mode="json") for model in models],
        "efforts": {model.kind: asdict(own) for model, own in zip(models, planted.efforts, strict=True)},
        "held_out": len(donors),
        "ratio": ratio,
        "seed": int(seed),
        "source": table.provenance,
    }
    return label(planted, real.clean, models, provenance, table.feature_names)


@dataclass(frozen=True)
class _RealRows:
    """Clean rows (n, d), and their m varying features as sources of anomalies: as they are, standardised.

    `donors` are rows (h, m) that are no rows of the table, for the kinds that copy. `component_stds` is of
    the mixture fitted to them; see `Source`.
    """

    clean: FloatArray
    columns: Columns
    raw: Source
    standard: Source
    donors: FloatArray
    component_stds: Callable[[FloatArray, np.random.Generator], FloatArray]

    def source_of(self, kind: AnomalyKind, part: int, n_parts: int, rng: np.random.Generator) -> Source:
        """Return what the kind works on; each kind that copies has its part of the donors."""
        if not kind.copies:
            return self.standard
        own = Donors(np.array_split(self.donors, n_parts)[part])
        return replace(self.raw, donors=own if kind.joint else own.shuffled(rng))


@dataclass(frozen=True, eq=False)
class _RealPlanting(Planting):
    """Planting in real rows: kinds work in standard units, and values lie in the domains of their columns."""

    real: _RealRows
    sets: np.random.Generator

    def clean(self, rows: IntArray) -> FloatArray:
        """Return the clean rows (k, m), their varying features."""
        return self.real.raw.rows[rows]

    def draw(self, rows: IntArray, affected: BoolArray) -> FloatArray:
        """Return rows (k,) as anomalies (k, m), each with `affected` features (k, m) of its own."""
        if (affected == affected[0]).all():
            changed = super().draw(rows, affected)
        else:
            draw = super().draw
            parts = zip(rows[:, None], affected[:, None], strict=True)
            changed = np.concatenate([draw(row, own) for row, own in parts])
        if not self.kind.copies:
            changed = self.real.columns.back(changed, self.rng, in_range=not self.kind.moves_margin)
        return np.where(affected, changed, self.clean(rows))

    def stretched(self, values: FloatArray, clean: FloatArray) -> FloatArray:
        """Return values (k, m) that differ enough from `clean`: between donors where there are any."""
        columns, least = self.real.columns, np.broadcast_to(self.least, clean.shape[1:])
        moved_on = columns.away(values, clean, least, self.rng)
        if self.source.donors is None:
            return moved_on
        others = self.source.donors.others(clean, least, self.rng)
        others = columns.typed(np.where(np.isnan(others), moved_on, others), self.rng, in_range=True)
        return np.where(self.too_near(others, clean), moved_on, others)

    def found(self, rows: IntArray, spare: IntArray, names: Sequence[str]) -> tuple[IntArray, FloatArray]:
        """Return as many rows as `rows` and their values, (k,) and (k, m), each an anomaly.

        Raises
        ------
        Unattainable
            If what comes out is a normal row again and again.
        """
        n_features, fixed = len(self.real.columns.varying), None
        for _ in range(SETS):
            if self.kind.affected.per == "kind":
                fixed = self.kind.draw_affected(n_features, self.sets)
            found = _fill(partial(self._with_sets, fixed), self.real.raw.rows, rows, spare)
            if found is not None:
                return found
        chosen = [] if fixed is None else [names[i] for i in self.real.columns.varying[fixed]]
        tried = f" in columns {chosen}" if chosen else ""
        raise Infeasible(
            f"anomaly kind {self.kind.kind!r} cannot change {len(rows)} of {len(self.real.clean)} normal rows"
            f"{tried}: what comes out is a normal row again, since their columns take too few values; "
            "expected another kind, a smaller ratio or more columns"
        )

    def _with_sets(self, fixed: IntArray | None, rows: IntArray) -> FloatArray:
        """Return the anomalies of rows (k,), with the `fixed` affected features or each with its own."""
        affected = np.zeros((len(rows), len(self.real.columns.varying)), dtype=np.bool_)
        for own in affected:
            own[self.kind.draw_affected(len(own), self.sets) if fixed is None else fixed] = True
        return self.anomalies(rows, affected)


def check_models(models: tuple[AnomalyKind, ...], protocol: str) -> tuple[AnomalyKind, ...]:
    """Return the kinds as they are injected under a protocol; `InputError` for one that cannot be."""
    for model in models:
        if model.kind in NEEDS_NETWORK:
            raise InputError(f"anomaly kind {model.kind!r} needs a network; real rows come without one")
        if model.affected.along != "any":
            raise InputError(f"anomaly kind {model.kind!r}: real rows have no graph; expected along: any")
        if any(isinstance(value, Calibrated) for _, value in model):
            raise InputError(f"anomaly kind {model.kind!r}: oracle_auc needs a network; expected a number")
    return tuple(map(as_published, models)) if protocol != "per-row" else models


def check_settings(
    kinds: Iterable[str | AnomalyKind], ratio: float, base: str, protocol: str
) -> tuple[AnomalyKind, ...]:
    """Return the kinds as `inject` takes them; `InputError` that says all that is wrong with its settings."""
    given, models = tuple(kinds), list[AnomalyKind]()
    check_all(
        [
            lambda: models.extend(check_models(check_kinds(given), protocol)),
            partial(_check_ratio, ratio),
            partial(find, "base", base, dict.fromkeys(get_args(Base))),
            partial(find, "protocol", protocol, dict.fromkeys(get_args(Protocol))),
        ]
    )
    return tuple(models)


def _check_ratio(ratio: float) -> None:
    if not 0 < ratio < 1:
        raise InputError(f"ratio is {ratio}; expected a number between 0 and 1, both excluded")


def _normal_rows(table: LabelledTable) -> FloatArray:
    rows = distinct(table.X[~table.y])
    if len(rows) < MIN_ROWS:
        raise InputError(f"the table has {len(rows)} distinct normal rows; expected at least {MIN_ROWS}")
    return rows


def _hold_out(
    rows: FloatArray, kinds: Sequence[AnomalyKind], ratio: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the rows that stay, in their order, and donors: two for each anomaly of a kind that copies."""
    copying = [kind.kind for kind in kinds if kind.copies]
    left = int(len(rows) / (1 + 2 * ratio * len(copying) / len(kinds)))
    if not copying:
        return rows, rows[:0]
    if left < MIN_ROWS or len(rows) - left < len(copying):
        raise Infeasible(
            f"anomaly kinds that copy ({', '.join(copying)}) take their values from rows that are held out: "
            f"of {len(rows)} distinct normal rows {left} would stay and {len(rows) - left} be held out; "
            f"expected at least {MIN_ROWS} and {len(copying)}: give more rows, another ratio or other kinds"
        )
    order = permutation(len(rows), rng)
    return rows[np.sort(order[:left])], rows[order[left:]]


def _real_rows(
    rows: FloatArray, donors: FloatArray, columns: Columns, base: str, streams: Streams
) -> _RealRows:
    real = columns.forward(rows[:, columns.varying])

    @cache  # fitted once, and only where something is drawn from it
    def mixture() -> Mixture:
        return fit_mixture(real, streams("mixture", "fit"))

    if base == "gmm":
        rows, donors = rows.copy(), donors.copy()
        rows[:, columns.varying] = columns.simulated(
            mixture().sample(len(rows), streams("mixture", "rows")), streams("mixture", "written")
        )
        if len(donors):
            fresh = mixture().sample(len(donors), streams("mixture", "donors"))
            donors[:, columns.varying] = columns.back(
                fresh, streams("mixture", "written donors"), in_range=True
            )
    raw = np.ascontiguousarray(rows[:, columns.varying])
    z = columns.forward(raw)
    redraw = _redraw(mixture, streams("mixture", "cluster"))
    sources = Source(rows=raw, redraw=redraw), Source(rows=z, redraw=redraw)
    return _RealRows(
        rows, columns, *sources, donors[:, columns.varying], lambda z, rng: mixture().component_stds(z, rng)
    )


def _redraw(mixture: Callable[[], Mixture], rng: np.random.Generator) -> Callable[[float, int], FloatArray]:
    """Return the source's way to draw fresh rows; its stream goes on, so that another try is another draw."""
    return lambda strength, n: mixture().scaled(strength).sample(n, rng)


def _plant(
    real: _RealRows, kinds: Sequence[AnomalyKind], count: int, streams: Streams, names: Sequence[str]
) -> Planted:
    """Turn `count` rows into anomalies, split evenly over the kinds; a remainder goes to the first kinds."""
    X, labels = real.clean.copy(), np.zeros(len(real.clean), dtype=np.int8)
    order = permutation(len(X), streams("positions"))
    spare = order[count:]
    shares = np.array_split(order[:count], len(kinds))
    copying = [kind.kind for kind in kinds if kind.copies]
    efforts = tuple(Effort() for _ in kinds)
    for number, (kind, rows, effort) in enumerate(zip(kinds, shares, efforts, strict=True), start=1):
        part = copying.index(kind.kind) if kind.copies else 0
        source = real.source_of(kind, part, len(copying), streams(kind.kind, "donors"))
        least = kind.least_change * real.columns.std
        sets, values = streams(kind.kind, "affected"), streams(kind.kind, "values")
        planting = _RealPlanting(kind, source, values, least, effort, real, sets)
        found, changed = planting.found(rows, spare, names)
        _write(X, found, changed, real.columns.varying)
        labels[found] = number
        spare = spare[~np.isin(spare, found)]
    return Planted(X, labels, X != real.clean, efforts)


def _write(X: FloatArray, rows: IntArray, values: FloatArray, columns: IntArray) -> None:
    """Write `values` to these rows and columns of `X`, but leave the bits of cells that are equal."""
    cells = np.ix_(rows, columns)
    X[cells] = np.where(X[cells] == values, X[cells], values)


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
