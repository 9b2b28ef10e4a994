"""Real data sets that scikit-learn ships: they work offline, without a download."""

from dataclasses import dataclass

import numpy as np

from xadbench.datasets.common.errors import InputError, find
from xadbench.datasets.rng import stream
from xadbench.datasets.table import LabelledTable


@dataclass(frozen=True)
class BundledSet:
    """One of scikit-learn's classification sets, with one class as normal; its size as it is loaded here."""

    loader: str
    normal_class: int
    n_rows: int
    n_features: int
    description: str


BUNDLED = {
    "breast_cancer": BundledSet(
        "load_breast_cancer", 1, 397, 30, "benign tumours are normal, malignant are not"
    ),
    "digits": BundledSet("load_digits", 0, 198, 64, "zeros are normal, the other digits are not"),
    "wine": BundledSet("load_wine", 1, 79, 13, "the second cultivar is normal, the others are not"),
}


def load_bundled(name: str, anomaly_ratio: float | None = 0.1) -> LabelledTable:
    """Return a real data set of scikit-learn with one class as normal and the others as anomalous.

    Parameters
    ----------
    name
        "breast_cancer" (30 features), "digits" (64) or "wine" (13).
    anomaly_ratio
        The share of anomalous rows, in (0, 1): anomalous rows are thinned at random to it, always the same
        way. None keeps them all, which may be most of the table.

    Raises
    ------
    InputError
        If the name is unknown, or the ratio lies outside (0, 1) or above what the set has.
    """
    import sklearn  # noqa: PLC0415  # takes a second to import
    from sklearn import datasets  # noqa: PLC0415  # as above

    entry = find("bundled data set", name, BUNDLED)
    if anomaly_ratio is not None and not 0 < anomaly_ratio < 1:
        raise InputError(f"anomaly_ratio is {anomaly_ratio}, expected a number in (0, 1) or None")
    bunch = getattr(datasets, entry.loader)()
    table = LabelledTable(
        X=bunch.data,
        y=bunch.target != entry.normal_class,
        feature_names=tuple(map(str, bunch.feature_names)),
        provenance={
            "source": "scikit-learn",
            "name": name,
            "version": sklearn.__version__,
            "normal_class": entry.normal_class,
            "anomaly_ratio": anomaly_ratio,
        },
    )
    return table if anomaly_ratio is None else _thinned(table, anomaly_ratio)


def _thinned(table: LabelledTable, anomaly_ratio: float) -> LabelledTable:
    anomalous = np.flatnonzero(table.y)
    n_kept = max(1, round(anomaly_ratio / (1 - anomaly_ratio) * (table.n_rows - len(anomalous))))
    if n_kept > len(anomalous):
        most = len(anomalous) / table.n_rows
        raise InputError(f"anomaly_ratio is {anomaly_ratio}, but the set has no more than {most:.2f}")
    order = np.argsort(stream(0, "bundled", "thin").random(len(anomalous)), kind="stable")
    kept = np.union1d(np.flatnonzero(~table.y), anomalous[order[:n_kept]])
    return table.rows(kept)
