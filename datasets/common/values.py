"""The gate for values: what comes in becomes numbers that float64 holds, in the order of its labels."""

import sys
from collections.abc import Sequence
from decimal import Decimal
from numbers import Complex, Integral, Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import BoolArray
from .errors import InputError

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 2**53  # up to here, float64 holds every integer
TOO_LARGE = "an integer beyond 2**53, which float64 would round"
NO_NUMBERS = {
    "c": "a complex number",
    "M": "a date",
    "m": "a duration",
    "U": "text",
    "S": "text",
    "T": "text",
}
MISSING = frozenset({"NoneType", "NAType", "NaTType"})


class NotANumber(InputError):
    """A value that is no number, or one that float64 does not hold: which row it is in, and what it is."""

    def __init__(self, name: str, cell: Sequence[object], value: object, reason: str) -> None:
        self.row, self.value, self.reason = cell[0] if cell else 0, value, reason
        place = ", ".join(f"{axis} {i!r}" for axis, i in zip(("row", "column"), cell, strict=False))
        super().__init__(
            f"{name} is not an array of numbers that float64 holds: {place}: {str(value)!r:.60}, {reason}"
        )


class Labels(NamedTuple):
    """The labels of a frame's rows and columns; None where there are none.

    Columns that pandas numbered go without a name.
    """

    rows: "pd.Index[Any] | None" = None
    columns: tuple[str, ...] | None = None


def numbers(values: Any, name: str) -> NDArray[Any]:
    """Return what an array, a frame or a list holds: truth values, integers or floating-point numbers.

    Nothing is lost: text, dates, complex numbers, masked and missing values are refused, and so are integers
    that float64 would round.

    Raises
    ------
    InputError
        If `values`, which the message calls `name`, hold anything else; of one value it says where.
    """
    values = _in_pandas(values)
    try:
        if len(set(getattr(values, "dtypes", ()) if _is_frame(values) else ())) < 2:
            return _numbers(values, name, values)
        # Column by column: pandas would make floating-point numbers of integers first.
        columns = [_numbers(values.iloc[:, [j]], name, values, j) for j in range(values.shape[1])]
        return np.concatenate(columns, axis=1)
    except InputError:
        raise
    except (RuntimeError, TypeError, ValueError) as error:  # RuntimeError: a tensor with a gradient
        raise InputError(f"{name} is not an array of numbers: {error}") from None


def aligned(
    values: Any, name: str, columns: Sequence[str] | None = None, rows: "pd.Index[Any] | None" = None
) -> NDArray[Any]:
    """Return `numbers`, their rows and columns in the order of the labels that the values come with.

    Parameters
    ----------
    values
        An array, which is taken by position, or a frame or series.
    name
        What an error calls them.
    columns, rows
        The labels to order by; None where the other values have none.

    Raises
    ------
    InputError
        If a frame or series has labels, and not those expected.
    """
    array, own = numbers(values, name), labels_of(values)
    if own.rows is not None:
        array = _ordered(array, name, "row", own.rows, rows)
    if own.columns is not None:
        import pandas as pd  # noqa: PLC0415  # takes a third of a second; here it is there already

        expected = None if columns is None else pd.Index(list(columns))
        array = _ordered(array.T, name, "column", pd.Index(list(own.columns)), expected).T
    return array


def labels_of(values: Any) -> Labels:
    """Return the labels of a frame or a series; none of anything else."""
    values = _in_pandas(values)
    if not _is_labelled(values):
        return Labels()
    columns = getattr(values, "columns", None)
    if columns is None or columns.equals(_numbered(len(columns))):
        return Labels(values.index)
    return Labels(values.index, tuple(map(str, columns)))


def _ordered(
    array: NDArray[Any], name: str, axis: str, own: "pd.Index[Any]", expected: "pd.Index[Any] | None"
) -> NDArray[Any]:
    """Return the array with its first axis in the order of the labels expected."""
    if own.equals(_numbered(len(own)) if expected is None else expected):
        return array
    if expected is not None and own.is_unique:
        order = own.get_indexer(expected)
        if np.array_equal(np.sort(order), np.arange(len(own))):
            return array[order]
    wanted = "none" if expected is None else f"{_few(expected)}, each once and in any order"
    raise InputError(
        f"{name} has the {axis} labels {_few(own)}, expected {wanted}; an array, such as "
        f"{name}.to_numpy(), is taken by position"
    )


def _few(labels: "pd.Index[Any]") -> str:
    shown = ", ".join(f"{label!r:.40}" for label in labels[:6].tolist())
    return f"[{shown}{', ...' if len(labels) > 6 else ''}]"


def _numbered(length: int) -> "pd.Index[Any]":
    import pandas as pd  # noqa: PLC0415  # as above

    return pd.RangeIndex(length)


def _in_pandas(values: Any) -> Any:
    """Return the frames and series of other libraries, as of Polars and Arrow, as those of pandas."""
    convert = getattr(values, "to_pandas", None)
    return convert() if callable(convert) else values


def _is_labelled(values: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(values, pandas.DataFrame | pandas.Series)


def _is_frame(values: Any) -> bool:
    return _is_labelled(values) and values.ndim == 2


def _numbers(values: Any, name: str, whole: Any, column: int = 0) -> NDArray[Any]:
    """Return one array of one type; `whole` is what it is part of, from that column on."""
    array = _as_given(values)
    reasons = _reasons(values, array)
    if reasons is not None:
        cell = tuple(int(i) for i in np.argwhere(reasons.astype(bool))[0])
        place: list[object] = [*cell]
        if _is_frame(whole):
            place[1] = whole.columns.tolist()[column + cell[1]]
        raise NotANumber(name, place, array[cell], reasons[cell])
    return array.astype(np.float64) if array.dtype.kind == "O" else array


def _as_given(values: Any) -> NDArray[Any]:
    """Return an array of values as they are: of a list, NumPy makes text or floats of all where one is."""
    array = np.asarray(values)
    if not isinstance(values, list | tuple) or array.dtype.kind in "biu":
        return array
    is_plain = array.dtype.kind == "f" and not (abs(array) >= LARGEST).any()
    return array if is_plain else np.array(values, dtype=object)


def _reasons(values: Any, array: NDArray[Any]) -> NDArray[Any] | None:
    """Return what is wrong with each value, as objects, "" where nothing is; None if nothing is anywhere."""
    kind = array.dtype.kind
    if np.ma.is_masked(values):
        return _where(np.ma.getmaskarray(values), "a masked value")
    if kind == "O":
        reasons = np.array([_reason(value) for value in array.ravel()], dtype=object).reshape(array.shape)
        return reasons if reasons.any() else None
    if kind in "iu" and array.dtype.itemsize == 8:
        return _where((array > LARGEST) | (array < -LARGEST), TOO_LARGE)
    if kind in "biuf":
        return None
    return _where(np.ones(array.shape, dtype=bool), NO_NUMBERS.get(kind, f"of type {array.dtype}"))


def _where(bad: BoolArray, reason: str) -> NDArray[Any] | None:
    return np.where(bad, reason, "").astype(object) if bad.any() else None


def _reason(value: object) -> str:
    if isinstance(value, Integral):
        return TOO_LARGE if abs(int(value)) > LARGEST else ""
    if isinstance(value, Real | Decimal | np.bool_):
        return ""
    if isinstance(value, str | bytes):
        return "text"
    if isinstance(value, Complex):
        return "a complex number"
    kind = type(value).__name__
    return "a missing value" if kind in MISSING else f"of type {kind}"
