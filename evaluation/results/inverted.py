"""Whether a detector's scores look inverted: scikit-learn's are higher for normal rows."""

from collections.abc import Iterator

from xadbench.evaluation.metrics.detection import inversion_hint

from .frame import IDENTITY, ResultFrame

DETECTED = "detected"


def inversion_hints(frame: ResultFrame) -> list[str]:
    """Return a sentence for each detector whose scores look inverted on some table."""
    return list(_hints(frame))


def _hints(frame: ResultFrame) -> Iterator[str]:
    known = frame.wide(frame.means(DETECTED), ["n_rows"]).rename(columns={"n_rows": "n_detected"})
    trials = frame.trials.merge(known, how="left", on=IDENTITY)
    fits = trials[trials["auc_roc"].notna()].groupby(["detector", "table", "seed"], sort=False)
    cells = fits[["auc_roc", "n_detected"]].max().reset_index()
    for detector, of in cells.groupby("detector", sort=False):
        where = of["table"].astype(str) + ", seed " + of["seed"].astype(str)
        hints = [
            (place, hint)
            for place, auc, n in zip(where, of["auc_roc"], of["n_detected"], strict=True)
            if (hint := inversion_hint(str(detector), auc, n))
        ]
        if hints:
            more = f" ({len(hints)} of {len(of)} tables and seeds)" if len(of) > 1 else ""
            yield f"{hints[0][1]} On {hints[0][0]}{more}."
