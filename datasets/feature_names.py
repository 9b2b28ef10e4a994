"""Names that say that a column is no feature, but the labels or a number of each row."""

import re
import warnings
from collections.abc import Sequence
from functools import cache

import numpy as np

from .common.arrays import FloatArray
from .common.errors import NoFeatureWarning, printable

LABEL_NAMES = re.compile(
    r"y|class|labels?|targets?|ground_truth|(is_?)?(anomaly|anomalous|attack|fraud|outlier)", re.IGNORECASE
)
ROW_NAMES = re.compile(r"id|.+_id|index|unnamed: ?[0-9]+|level_[0-9]+|__index_level_[0-9]+__", re.IGNORECASE)
FEWEST_ROWS = 3  # fewer differ by chance


def warn_of_names(X: FloatArray, names: Sequence[str], where: str = "") -> None:
    """Warn, once in a process, of each feature that is no feature by its name and its values.

    Parameters
    ----------
    X : (n, d) float64
        The rows.
    names
        Those of the features.
    where
        What a message begins with, such as the file.

    Warns
    -----
    NoFeatureWarning
        If a feature is named like labels and has two values, or like an id or an index and has an integer of
        its own in each row.
    """
    place = f"{where}: " if where else ""
    for name, values in zip(names, X.T, strict=True):
        said = f"{place}column {name!r} is taken as a feature, but is named like"
        if LABEL_NAMES.fullmatch(re.sub(r"[ -]+", "_", name.strip())) and len(np.unique(values)) == 2:
            _warn_once(
                f"{said} labels and has two values; if it marks anomalies, name it: --label-column {name} "
                "for a file, `label:` in a suite, y in Python"
            )
        elif ROW_NAMES.fullmatch(name.strip()) and _numbers_rows(values):
            _warn_once(
                f"{said} an id or an index and numbers the rows; no option leaves a column out: remove it "
                "from the data"
            )


def _numbers_rows(values: FloatArray) -> bool:
    is_integer = bool((values == np.round(values)).all())
    return is_integer and len(values) >= FEWEST_ROWS and len(np.unique(values)) == len(values)


@cache
def _warn_once(message: str) -> None:
    warnings.warn(printable(message), NoFeatureWarning, stacklevel=4)
