"""Anomalies with known culprits in real rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal, Self, get_args

import numpy as np

from xadbench import __version__
from xadbench.datasets.arrays import FloatArray, IntArray
from xadbench.datasets.errors import InputError, unknown
from xadbench.datasets.streams import stream
from xadbench.datasets.table import LabelledTable
from xadbench.generator import moments
from xadbench.generator.anomalies import AnomalyKind, Source, check_kinds
from xadbench.generator.draws import check_seed
from xadbench.generator.mixture import Mixture, fit_mixture
from xadbench.generator.plant import Planted, Streams, count_anomalies, label, plant

Base = Literal["rows", "gmm"]
DEFAULT_KINDS = ("global", "local", "additive", "multiplicative")
MIN_ROWS = 10


def inject(
    table: LabelledTable,
    kinds: Iterable[str | AnomalyKind] = DEFAULT_KINDS,
    ratio: float = 0.05,
    base: Base = "rows",
    seed: int = 0,
) -> LabelledTable:
    """Turn a share of a table's normal rows into anomalies whose culprits are known.

    The table's own anomalies are left out. Kinds work in units of each feature's standard deviation among the
    normal rows; cells that they do not change keep their bits, and constant features are never affected.

    Parameters
    ----------
    table
        Real rows; at least 10 normal ones, and at least 2 features that vary among them.
    kinds
        Names or models of anomaly kinds. "cluster" redraws all features from a Gaussian mixture fitted to the
        normal rows; since every feature is then to blame, it tells nothing about an explainer.
    ratio
        Share of the rows that become anomalous, between 0 and 1.
    base
        "rows": the normal rows themselves. "gmm": as many rows sampled from a Gaussian mixture of 1 to 9
        components fitted to them, as in the paper; reproducible on one installation, not bit for bit across
        them, because the fit uses BLAS.
    seed
        At least 0.

    Returns
    -------
    LabelledTable
        With mask and clean twin; the source's provenance is kept under "source".

    Raises
    ------
    InputError
        If an argument is out of range, or the table has too few normal rows or varying features.
    """
    models = check_kinds(kinds)
    _check(ratio, base)
    streams = partial(stream, check_seed(seed), "inject")
    rows = _normal_rows(table)
    count = count_anomalies(ratio, len(rows), len(models))
    units = _Units.of(rows, table.feature_names)
    clean, source = _source(rows, units, base, streams)
    planted = units.write_back(plant(source, models, count, streams), clean)
    provenance = {
        "generator": "inject",
        "xadbench": __version__,
        "base": base,
        "kinds": [model.model_dump(mode="json") for model in models],
        "ratio": ratio,
        "seed": int(seed),
        "source": table.provenance,
    }
    return label(planted, clean, models, provenance, table.feature_names)


@dataclass(frozen=True)
class _Units:
    """The varying features with their means and standard deviations, each (m,)."""

    varying: IntArray
    mean: FloatArray
    std: FloatArray

    @classmethod
    def of(cls, rows: FloatArray, names: Sequence[str]) -> Self:
        """Measure `rows` (n, d)."""
        varying = np.flatnonzero(rows.min(axis=0) != rows.max(axis=0))
        if len(varying) < 2:
            raise InputError(f"{len(varying)} features vary among the normal rows; expected at least 2")
        data = rows[:, varying]
        with np.errstate(over="ignore", invalid="ignore"):
            units = cls(varying, moments.column_means(data), moments.column_stds(data))
        for column in varying[~np.isfinite(units.std)]:
            raise InputError(f"column {names[column]!r} is too large to standardise in float64")
        return units

    def forward(self, rows: FloatArray) -> FloatArray:
        """Return the varying features in units of their standard deviations, (n, m)."""
        return (rows[:, self.varying] - self.mean) / self.std

    def back(self, z: FloatArray) -> FloatArray:
        """Return the varying features in their own units, (n, m)."""
        scaled = self.std * z
        return self.mean + scaled

    def write_back(self, planted: Planted, clean: FloatArray) -> Planted:
        """Return what was planted in standardised varying features as rows of all features."""
        X, affected = clean.copy(), np.zeros(clean.shape, dtype=np.bool_)
        affected[:, self.varying] = planted.affected
        X[affected] = self.back(planted.X)[planted.affected]
        return Planted(X, planted.kind, affected)


def _check(ratio: float, base: str) -> None:
    if not 0 < ratio < 1:
        raise InputError(f"ratio is {ratio}; expected a number between 0 and 1, both excluded")
    if base not in get_args(Base):
        raise unknown("base", base, get_args(Base))


def _normal_rows(table: LabelledTable) -> FloatArray:
    rows = table.X[~table.y]
    if len(rows) < MIN_ROWS:
        raise InputError(f"the table has {len(rows)} normal rows; expected at least {MIN_ROWS}")
    return rows


def _source(rows: FloatArray, units: _Units, base: str, streams: Streams) -> tuple[FloatArray, Source]:
    """Return the clean rows in their own units, and the standardised source of the anomalies."""
    z = units.forward(rows)

    @cache  # fitted once, and only where something is drawn from it
    def mixture() -> Mixture:
        return fit_mixture(z, streams("mixture", "fit"))

    def redraw(strength: float, n: int) -> FloatArray:
        return mixture().scaled(strength).sample(n, streams("mixture", "cluster"))

    if base == "rows":
        return rows, Source(z, redraw)
    sampled = mixture().sample(len(rows), streams("mixture", "rows"))
    clean = rows.copy()
    clean[:, units.varying] = units.back(sampled)
    return clean, Source(sampled, redraw)
