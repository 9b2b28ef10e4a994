"""What every metric asks of its input."""

import numpy as np

from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.values import aligned, labels_of, numbers


def checked_mask(mask: BoolArray) -> BoolArray:
    """Return a mask (n, d), d at least 1; `InputError` if it is none."""
    mask = numbers(mask, "mask")
    if mask.dtype != np.bool_:
        raise InputError(f"mask has dtype {mask.dtype}, expected bool")
    if mask.ndim != 2 or mask.shape[1] == 0:
        raise InputError(f"mask has shape {mask.shape}, expected (n, d) with d at least 1")
    return mask


def checked_attributions(
    attributions: FloatArray, other: FloatArray | BoolArray, name: str = "mask"
) -> FloatArray:
    """Return finite attributions of the shape of `other`, which an `InputError` calls `name`.

    Those in a frame are ordered by the labels of `other`, which comes as it was given.
    """
    labels, shape = labels_of(other), np.shape(other)
    attributions = aligned(attributions, "attributions", labels.columns, labels.rows).astype(np.float64)
    if attributions.shape != shape:
        raise InputError(f"attributions have shape {attributions.shape}, but {name} has shape {shape}")
    finite = np.isfinite(attributions)
    if not finite.all():
        bad = np.argwhere(~finite)
        row, column = bad[0]
        raise InputError(
            f"attributions have {len(bad)} value(s) NaN or infinite; first: row {row}, column {column}"
        )
    return attributions


def checked_gains(gains: FloatArray) -> FloatArray:
    """Return gains (n, d), finite and at least 0; `InputError` if they are not."""
    gains = matrix(gains, "gains")
    if (gains < 0).any():
        raise InputError(f"gains has {int((gains < 0).sum())} value(s) below 0")
    return gains
