"""What a data set is: rows, labels and, where the source knows them, the ground-truth features."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .common.arrays import BoolArray, FloatArray
from .common.checks import matrix
from .common.errors import InputError, printable
from .common.values import Labels, aligned, labels_of
from .feature_names import warn_of_names

if TYPE_CHECKING:
    import pandas as pd

NORMAL = "normal"
SHOWN_ROWS, SHOWN_FEATURES = 8, 12  # in a notebook
RESERVED_NAMES = frozenset({"y", "kind"})  # columns of samples.parquet beside the features


class InvalidTable(InputError):
    """A table whose parts contradict each other."""


@dataclass(frozen=True, eq=False, repr=False)
class LabelledTable:
    """A table of rows with labels and, where known, the features at fault.

    All arrays are copied at birth and read-only. What comes as a frame or a series is ordered by its labels:
    its rows by the index of `X`, its columns by the feature names.

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
        One distinct name a feature, any Unicode text but "y" or "kind". Default: the columns of `X` if it is
        a frame that names them, else x0, x1, ...
    provenance
        Where the table comes from, as JSON values.

    Raises
    ------
    InvalidTable
        If shapes or labels disagree; anything but numbers that float64 holds is given; X or `clean` is not
        finite; `kind` and `y` disagree; a normal row has a ground-truth feature or differs from its clean
        twin; an anomalous row of a table with a mask has none; or a ground-truth feature equals its clean
        twin.

    Warns
    -----
    NoFeatureWarning
        If a column of `X` that names a feature is named like labels, or like an id or an index.
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
        given = labels_of(self.X)
        is_named_by_X = not self.feature_names and given.columns is not None
        labels = Labels(given.rows, tuple(self.feature_names) or given.columns)
        self._set("X", _frozen(self.X, np.float64, "X", labels))
        if self.X.ndim != 2 or 0 in self.X.shape:
            raise InvalidTable(f"X has shape {self.X.shape}, expected (n, d) with n and d at least 1")
        self._set("y", _frozen(self.y, np.bool_, "y", labels))
        self._set("kind", _frozen(self.y if self.kind is None else self.kind, np.int8, "kind", labels))
        for name, dtype in (("mask", np.bool_), ("clean", np.float64)):
            if getattr(self, name) is not None:
                self._set(name, _frozen(getattr(self, name), dtype, name, labels))
        self._set("kinds", tuple(self.kinds))
        self._set("feature_names", labels.columns or _default_names(self.n_features))
        self._set("provenance", _as_json(self.provenance))
        _check(self)
        if is_named_by_X:
            warn_of_names(self.X, self.feature_names)

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

    def to_pandas(self) -> "pd.DataFrame":
        """Return the rows as a DataFrame, which is the caller's to change.

        Its columns are the features, `y` (bool) and `kind`, the name of each row's kind, categorical.

        Examples
        --------
        >>> from xadbench.datasets import LabelledTable
        >>> table = LabelledTable(X=[[0.5, 1.0], [0.0, 9.0]], y=[False, True], mask=[[0, 0], [0, 1]])
        >>> print(table.to_pandas())
            x0   x1      y     kind
        0  0.5  1.0  False   normal
        1  0.0  9.0   True  anomaly
        """
        import pandas as pd  # noqa: PLC0415  # takes half a second to import

        frame = pd.DataFrame(np.array(self.X), columns=list(self.feature_names))
        names = np.array(self.kinds, dtype=object)[self.kind]
        kinds = pd.Categorical(names, categories=list(dict.fromkeys(self.kinds)))
        return frame.assign(y=np.array(self.y), kind=kinds)

    def __repr__(self) -> str:
        return f"<LabelledTable: {self._in_short()}>"

    def _repr_html_(self) -> str:
        """Return the first rows for a notebook, anomalies before others, ground-truth cells in bold."""
        shown = np.argsort(~self.y, kind="stable")[:SHOWN_ROWS]
        d = min(self.n_features, SHOWN_FEATURES)
        names = [*self.feature_names[:d], *(["…"] if d < self.n_features else []), "kind"]
        rows = [["", *map(str, names)]]
        for i in shown:
            cells = [f"{value:.4g}" for value in self.X[i, :d]]
            rows.append([str(i), *cells, *(["…"] if d < self.n_features else []), self.kinds[self.kind[i]]])
        bold = np.zeros((len(rows), len(rows[0])), dtype=bool)
        bold[0] = True
        if self.mask is not None:
            bold[1:, 1 : d + 1] = self.mask[shown, :d]
        lines = (
            "".join(
                f"<td><b>{escape(cell)}</b></td>" if is_bold else f"<td>{escape(cell)}</td>"
                for cell, is_bold in zip(row, own, strict=True)
            )
            for row, own in zip(rows, bold, strict=True)
        )
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<p>{escape(self._in_short())}</p><table>{body}</table>"

    def _in_short(self) -> str:
        counts = np.bincount(self.kind, minlength=len(self.kinds))[1:]
        of_kinds = ", ".join(f"{n} {kind}" for kind, n in zip(self.kinds[1:], counts, strict=True) if n)
        truth = "no ground truth" if self.mask is None else "ground truth"
        clean = "" if self.clean is None else ", clean twin"
        anomalies = f"{int(self.y.sum())} anomalies" + (f" ({of_kinds})" if of_kinds else "")
        return printable(f"{self.n_rows} rows, {self.n_features} features, {anomalies}, {truth}{clean}")

    @property
    def moved(self) -> BoolArray | None:
        """All cells that differ from the clean twin, (n, d); None without a clean twin."""
        return None if self.clean is None else self.X != self.clean

    def rows(self, index: ArrayLike) -> Self:
        """Return the table of the rows at `index` (integers or a boolean mask), in that order."""
        i = np.asarray(index)
        if i.dtype == np.bool_:
            i = aligned(index, "index")
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
        """Return the table of all rows of `parts`, at least one, which are alike except for their rows."""
        if len(parts) == 1:
            return parts[0]
        arrays = ("X", "y", "kind", "mask", "clean")
        known = [name for name in arrays if getattr(parts[0], name) is not None]
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in known
        }
        return replace(parts[0], **joined)


def as_table(rows: "LabelledTable | ArrayLike", what: str) -> LabelledTable:
    """Return a table as it is, and an array or a DataFrame as one of normal rows alone.

    Raises
    ------
    InputError
        If it is neither; names `what` it was given as.
    """
    if isinstance(rows, LabelledTable):
        return rows
    X = matrix(rows, what, min_rows=1)
    is_named = labels_of(rows).columns is not None
    given: Any = rows if is_named else X
    return LabelledTable(X=given, y=np.zeros(len(X), dtype=bool))


def check_table(table: object, what: str) -> None:
    """Raise `InputError` unless this is a `LabelledTable`; it says how to make one of an array."""
    if not isinstance(table, LabelledTable):
        given = type(table).__name__
        raise InputError(f"{what} is of type {given}; expected a LabelledTable, such as LabelledTable(X, y)")


def _as_json(provenance: Mapping[str, Any]) -> Any:
    try:
        return json.loads(json.dumps(provenance, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidTable(f"provenance is not of JSON values: {error}") from None


def _default_names(n_features: int) -> tuple[str, ...]:
    return tuple(f"x{i}" for i in range(n_features))


def _frozen(values: ArrayLike, dtype: DTypeLike, name: str, labels: Labels) -> NDArray[Any]:
    try:
        given = aligned(values, name, labels.columns, labels.rows)
    except InputError as error:
        raise InvalidTable(str(error)) from None
    with np.errstate(invalid="ignore"):  # what does not fit the type is seen below
        array = np.array(given, dtype=dtype, order="C")
    if array.dtype.kind != "f" and not np.array_equal(array, given):
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
    for name in names:
        if not isinstance(name, str) or not _is_unicode(name):
            raise InvalidTable(f"feature_names has {name!a:.60}; expected Unicode text")


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def free_names(own: Iterable[str], taken: Iterable[str]) -> tuple[str, ...]:
    """Return names for columns of ours beside others: with underscores behind them where they are taken.

    Examples
    --------
    >>> from xadbench.datasets.table import free_names
    >>> free_names(["row", "key"], ["a", "key", "key_"])
    ('row', 'key__')
    """
    known = set(taken)
    free = []
    for name in own:
        while name in known:
            name += "_"  # noqa: PLW2901  # until it is free
        known.add(name)
        free.append(name)
    return tuple(free)


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
