"""What a data set is: rows, labels and, where the source knows them, the ground-truth features."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .common.arrays import BoolArray, FloatArray
from .common.errors import InputError

NORMAL = "normal"
RESERVED_NAMES = frozenset({"y", "kind"})  # columns of samples.parquet beside the features


class InvalidTable(InputError):
    """A table whose parts contradict each other."""


@dataclass(frozen=True, eq=False)
class LabelledTable:
    """A table of rows with labels and, where known, the features at fault.

    All arrays are copied at birth and read-only.

    Parameters
    ----------
    X : (n, d) float64
        The rows; finite.
    y : (n,) bool
        True for anomalous rows.
    kind : (n,) int8
        0 for normal rows, otherwise an index into `kinds`. Default: 1 where `y`.
    kinds
        Names of the kinds; the first is "normal".
    mask : (n, d) bool or None
        The ground truth: the features that an explainer should name. None where the source does not know.
    clean : (n, d) float64 or None
        The same rows as they would have been without the anomaly.
    feature_names
        One distinct name a feature, not "y" or "kind". Default: x0, x1, ...
    provenance
        Where the table comes from, as JSON values.

    Raises
    ------
    InvalidTable
        If shapes disagree; X or `clean` is not finite; `kind` and `y` disagree; a normal row has a
        ground-truth feature or differs from its clean twin; an anomalous row of a table with a mask has
        none; or a ground-truth feature equals its clean twin.
    """

    X: FloatArray
    y: BoolArray
    kind: NDArray[np.int8] = field(default=None)  # type: ignore[arg-type]  # set at birth
    kinds: tuple[str, ...] = (NORMAL, "anomaly")
    mask: BoolArray | None = None
    clean: FloatArray | None = None
    feature_names: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._set("X", _frozen(self.X, np.float64, "X"))
        if self.X.ndim != 2 or 0 in self.X.shape:
            raise InvalidTable(f"X has shape {self.X.shape}, expected (n, d) with n and d at least 1")
        self._set("y", _frozen(self.y, np.bool_, "y"))
        self._set("kind", _frozen(self.y if self.kind is None else self.kind, np.int8, "kind"))
        for name, dtype in (("mask", np.bool_), ("clean", np.float64)):
            if getattr(self, name) is not None:
                self._set(name, _frozen(getattr(self, name), dtype, name))
        self._set("kinds", tuple(self.kinds))
        self._set("feature_names", tuple(self.feature_names) or _default_names(self.n_features))
        self._set("provenance", _as_json(self.provenance))
        _check(self)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @property
    def n_rows(self) -> int:
        """Number of rows n."""
        return int(self.X.shape[0])

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return int(self.X.shape[1])

    @property
    def moved(self) -> BoolArray | None:
        """All cells that differ from the clean twin, (n, d); None without a clean twin."""
        return None if self.clean is None else self.X != self.clean

    def rows(self, index: ArrayLike) -> Self:
        """Return the table of the rows at `index` (integers or a boolean mask), in that order."""
        i = np.asarray(index)
        return replace(
            self,
            X=self.X[i],
            y=self.y[i],
            kind=self.kind[i],
            mask=None if self.mask is None else self.mask[i],
            clean=None if self.clean is None else self.clean[i],
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Return the table of all rows of `parts`, at least one, which are alike but for their rows."""
        if len(parts) == 1:
            return parts[0]
        arrays = ("X", "y", "kind", "mask", "clean")
        known = [name for name in arrays if getattr(parts[0], name) is not None]
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in known
        }
        return replace(parts[0], **joined)


def _as_json(provenance: Mapping[str, Any]) -> Any:
    try:
        return json.loads(json.dumps(provenance, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidTable(f"provenance is not of JSON values: {error}") from None


def _default_names(n_features: int) -> tuple[str, ...]:
    return tuple(f"x{i}" for i in range(n_features))


def _frozen(values: ArrayLike, dtype: DTypeLike, name: str) -> NDArray[Any]:
    try:
        with np.errstate(invalid="ignore"):  # what does not fit the type is seen below
            array = np.array(values, dtype=dtype, order="C")
    except (OverflowError, TypeError, ValueError) as error:
        raise InvalidTable(f"{name} is not an array of {np.dtype(dtype).name}: {error}") from None
    if array.dtype.kind != "f" and not np.array_equal(array, np.asarray(values)):
        raise InvalidTable(f"{name} has values that are not {np.dtype(dtype).name}")
    array.flags.writeable = False
    return array


def _check(table: LabelledTable) -> None:
    _check_shapes(table)
    _check_finite(table.X, "X", table.feature_names)
    check_names(table.feature_names, table.n_features)
    _check_kinds(table)
    if table.clean is not None:
        _check_finite(table.clean, "clean", table.feature_names)
        _refuse_rows(
            ~table.y & (table.X != table.clean).any(axis=1), "normal, but differs from its clean twin"
        )
    if table.mask is not None:
        _refuse_rows(~table.y & table.mask.any(axis=1), "normal, but its mask names a feature")
        _refuse_rows(table.y & ~table.mask.any(axis=1), "anomalous, but its mask names no feature")
    if table.mask is not None and table.clean is not None:
        _refuse_rows(
            (table.mask & (table.X == table.clean)).any(axis=1),
            "a ground-truth feature equals its clean twin",
        )


def _check_shapes(table: LabelledTable) -> None:
    n, d = table.X.shape
    expected = {"y": (n,), "kind": (n,), "mask": (n, d), "clean": (n, d)}
    for name, shape in expected.items():
        array = getattr(table, name)
        if array is not None and array.shape != shape:
            raise InvalidTable(f"{name} has shape {array.shape}, expected {shape} to match X")


def _check_finite(values: FloatArray, name: str, feature_names: Sequence[str]) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        where = feature_names[column] if column < len(feature_names) else column
        raise InvalidTable(
            f"{name} has {len(bad)} value(s) that are NaN or infinite; first: row {row}, column {where!r}"
        )


def check_names(names: Sequence[str], n_features: int) -> None:
    """Raise InvalidTable unless these can be the names of that many features."""
    if len(names) != n_features or len(set(names)) != len(names):
        raise InvalidTable(f"feature_names has {len(set(names))} distinct names, expected {n_features}")
    if reserved := RESERVED_NAMES.intersection(names):
        raise InvalidTable(f"feature_names may not hold {sorted(reserved)}: reserved for the labels")


def _check_kinds(table: LabelledTable) -> None:
    if table.kinds[:1] != (NORMAL,):
        raise InvalidTable(f"kinds starts with {table.kinds[:1]}, expected {NORMAL!r} first")
    _refuse_rows(
        (table.kind < 0) | (table.kind >= len(table.kinds)), f"kind is not one of 0..{len(table.kinds) - 1}"
    )
    _refuse_rows((table.kind != 0) != table.y, "y and kind disagree")


def _refuse_rows(bad: BoolArray, what: str) -> None:
    if bad.any():
        raise InvalidTable(f"{int(bad.sum())} row(s), first at {int(np.argmax(bad))}: {what}")
