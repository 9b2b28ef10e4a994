"""Leak controls on anomalies injected into every ADBench file at hand: python docs/results/leaks.py FOLDER.

One seed each, and each kind that can be made. Of a longer table 10,000 rows are drawn. Writes leaks.csv
beside this file, a data set at a time, and goes on where it was stopped; then prints what exceeds its null
over all.
"""

import sys
from pathlib import Path

import pandas as pd

from xadbench.datasets import InputError, load_adbench
from xadbench.datasets.rng import stream
from xadbench.datasets.sources.adbench import adbench_registry
from xadbench.evaluation.leaks.controls import leak_controls, leaks
from xadbench.generator import inject
from xadbench.generator.anomalies.registry import KINDS
from xadbench.generator.draws import subset
from xadbench.generator.injection.inject import NEEDS_NETWORK

SEED, RATIO, MOST_ROWS = 0, 0.05, 10_000
RESULTS = Path(__file__).with_suffix(".csv")


def controls(name: str, folder: Path) -> pd.DataFrame:
    """Return the leak controls of a data set by kind; the reason where a kind cannot be made."""
    table = load_adbench(name, folder)
    if table.n_rows > MOST_ROWS:
        table = table.rows(subset(table.n_rows, MOST_ROWS, stream(SEED, "leaks", name)))
    parts = []
    for kind in sorted(KINDS.keys() - NEEDS_NETWORK - {"cluster"}):
        try:
            found = leak_controls(inject(table, [kind], ratio=RATIO, seed=SEED), SEED)
        except InputError as error:
            found = pd.DataFrame([{"kind": kind, "reason": str(error)}])
        parts.append(found[found["kind"] == kind])
    return pd.concat([part.dropna(axis=1, how="all") for part in parts]).assign(dataset=name)


def main(folder: Path) -> None:
    """Run what is not there yet, and print the leaks."""
    done = pd.read_csv(RESULTS) if RESULTS.exists() else pd.DataFrame({"dataset": []})
    for name, entry in adbench_registry().items():
        if (folder / entry.file).is_file() and name not in set(done["dataset"]):
            done = pd.concat([done, controls(name, folder)], ignore_index=True)
            columns = ["dataset", *done.columns.drop("dataset")]
            done[columns].to_csv(RESULTS, index=False, float_format="%.4g")
            print(name, flush=True)  # noqa: T201  # a script
    verdicts = done[done["control"].notna()]
    found = leaks(verdicts.assign(exempt=verdicts["exempt"].astype(bool)))
    tables, tests = verdicts["dataset"].nunique(), int((~verdicts["exempt"].astype(bool)).sum())
    print(f"{tables} data sets, {tests} tests, {len(found)} leaks")  # noqa: T201  # as above
    print(found.to_string(index=False) if len(found) else "")  # noqa: T201  # as above
    infeasible = done[done["control"].isna()].reindex(columns=["dataset", "kind", "reason"])
    print(infeasible.to_string(index=False) if len(infeasible) else "")  # noqa: T201  # as above


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
