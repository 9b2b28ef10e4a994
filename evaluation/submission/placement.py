"""Where one entry stands among the others of a suite, by the statistics of the report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from xadbench.evaluation.results import statistics as stats
from xadbench.evaluation.results.frame import VALUE, flatten
from xadbench.evaluation.results.inverted import inversion_hints
from xadbench.evaluation.results.provenance import RunDescription
from xadbench.evaluation.results.ranking import SIGNIFICANT, Board, board, cells_of
from xadbench.evaluation.results.reference_results import is_shipped
from xadbench.evaluation.results.run_results import Results, as_results
from xadbench.evaluation.results.store import Record
from xadbench.evaluation.suite.spec import Suite

KEY = ("table", "seed", "detector", "explainer")
SAME = 1e-9  # figures of one fitted detector differ by no more
COMPARED = ("n_rows", "chance")  # which, with its quality, tell whether two fits are the same detector


@dataclass(frozen=True, eq=False)
class Place:
    """Where an explainer stands among those that explained one detector.

    Attributes
    ----------
    label
        The explainer's.
    board
        The report's leaderboard.
    oracle_auc_roc
        The oracle's on the board's tables and seeds; NaN where that is not known of all.
    standing
        As `standing` returns it, with the costs of a trial and `is_shipped`, where `seconds`, which are of
        another machine, are NaN; empty if it is not ranked.
    reason
        Why it is not ranked; else empty.
    """

    label: str
    board: Board
    oracle_auc_roc: float
    standing: pd.DataFrame
    reason: str

    @property
    def own(self) -> "pd.Series[Any]":
        """The entry's row of the standing."""
        row: pd.Series[Any] = self.standing.loc[self.label]  # type: ignore[assignment]  # labels are distinct
        return row

    @property
    def alike(self) -> list[str]:
        """The other entries that it does not differ significantly from, best first."""
        return list(self.standing.index[self.standing["alike"].astype(bool)])


@dataclass(frozen=True, eq=False)
class Placement:
    """Where an entry stands in a suite.

    Attributes
    ----------
    label
        The explainer's; empty where only a detector or a data set was given.
    suite, scope
        The suite's name, and the rows that are ranked by.
    places
        The explainer's place, a detector each; empty without one.
    detector, table
        The labels of the detector and the data set that were given; empty without.
    detectors
        As `standing` returns it, by AUC-ROC; empty without a detector, or if it has none on some table.
    origin
        Of what was not computed here: what is known of the run that did, or empty.
    notes
        What is to be said beside.
    records
        Of all trials, in the suite's order.
    """

    label: str
    suite: str
    scope: str
    places: list[Place]
    detector: str
    table: str
    detectors: pd.DataFrame
    origin: dict[str, Any]
    notes: list[str]
    records: list[Record]


def place_of(
    label: str, suite: Suite, records: Sequence[Record], *, detector: str = "", table: str = ""
) -> Placement:
    """Return where an explainer, or a detector, stands among the records of a suite.

    Parameters
    ----------
    label
        The explainer's, or empty.
    suite
        What the records are of.
    records
        Of all trials of the suite; those of the explainer may be beside it.
    detector
        The label of a detector to rank among the others; or empty.
    table
        The label of a data set that is new; or empty.
    """
    results = as_results(RunDescription(suite=suite.model_dump(mode="json")), records)
    cells = cells_of(results)
    cells = cells[cells["scope"] == suite.scope].merge(_origins(records), on=list(KEY))
    by_detector = cells.groupby("detector", sort=False) if label else ()
    detectors, unranked = _standing_of_detector(detector, results) if detector else (pd.DataFrame(), [])
    return Placement(
        label=label,
        suite=suite.name,
        scope=suite.scope,
        places=[_place(label, board(of, suite.scope, str(name)), of) for name, of in by_detector],
        detector=detector,
        table=table,
        detectors=detectors,
        origin=next((record.origin for record in records if record.origin is not None), {}),
        notes=[*unranked, *inversion_hints(flatten(records)), *_other_fits(records, suite.scope)],
        records=list(records),
    )


def _origins(records: Sequence[Record]) -> pd.DataFrame:
    rows = [(*record.identity, is_shipped(record)) for record in records]
    return pd.DataFrame(rows, columns=[*KEY, "is_shipped"])


def _place(label: str, of_board: Board, cells: pd.DataFrame) -> Place:
    entries = cells[~cells["is_reference"].astype(bool)]
    figures = stats.common_grid(entries, "explainer", VALUE).figures
    ceiling = _ceiling(cells, figures)
    if label not in of_board.ranked.index:
        reason = next((lacking.reasons for lacking in of_board.missing if lacking.explainer == label), "")
        return Place(label, of_board, ceiling, pd.DataFrame(), reason or "no trial of it on this detector")
    is_theirs = entries.groupby("explainer")["is_shipped"].any()
    found = standing(of_board.ranked, figures, label, stats.sources_of(cells)).join(is_theirs)
    # Seconds are those of a machine and its load; normalised times go with it.
    found["seconds"] = found["seconds"].where(~found["is_shipped"].astype(bool))
    return Place(label, of_board, ceiling, found, "")


def _ceiling(cells: pd.DataFrame, figures: pd.DataFrame) -> float:
    """Return the oracle's mean AUC-ROC over the tables and seeds of a grid; NaN if it is not known of all."""
    of_each = cells.groupby([stats.TABLE, stats.SEED])["oracle_auc_roc"].first()
    of_grid = of_each[of_each.index.isin(figures.index)]
    return float(of_grid.mean()) if of_grid.notna().all() else float("nan")


def standing(ranked: pd.DataFrame, figures: pd.DataFrame, label: str, source: stats.Source) -> pd.DataFrame:
    """Return how an entry stands towards each other one.

    Parameters
    ----------
    ranked
        By entry, the best first: at least `mean`.
    figures
        The grid behind it, as `stats.common_grid` makes it.
    label
        The entry.
    source
        Of tables, as of `stats.resampled_means`.

    Returns
    -------
    DataFrame
        `ranked` with `place`, 1 + the number of better ones; `lead`, `lead_low`, `lead_high`, of the entry
        over each other one (`stats.margins`); `alike`, whether the tests of the report cannot tell the two
        apart.
    """
    place = ranked["mean"].rank(ascending=False, method="min").astype(int)
    margins = stats.margins(figures, label, source=source)
    lead = margins.add_prefix("lead_").rename(columns={"lead_mean": "lead"})
    p = stats.pairwise(figures, source)[label]
    alike = (p >= SIGNIFICANT) & (p.index != label)
    return ranked.assign(place=place).join(lead).join(alike.rename("alike"))


def _standing_of_detector(label: str, results: Results) -> tuple[pd.DataFrame, list[str]]:
    """Return where a detector stands; nothing, and a note that says why, where it is not ranked."""
    fits = results.trials.groupby(["table", "seed", "detector"], sort=False)["auc_roc"].first()
    figures = stats.common_grid(fits.reset_index(), "detector", "auc_roc").figures
    if len(figures) and label in figures:
        source = stats.sources_of(results.trials)
        return standing(stats.means(figures, source=source), figures, label, source), []
    reasons = results.trials.loc[results.trials["detector"] == label, "reason"].dropna()
    why = next(iter(reasons), "the suite leaves some out")
    return pd.DataFrame(), [f"{label} is not ranked: no AUC-ROC on every table and seed: {why}"]


def _other_fits(records: Sequence[Record], scope: str) -> Iterator[str]:
    """Yield a note for each detector fitted here that is not the one behind the shipped records.

    Arithmetic may differ by a machine's libraries, and so a detector by its last bits, or its flagged rows.
    """
    figures = [
        (record.identity[:3], is_shipped(record), _figures(record, scope))
        for record in records
        if record.status == "ok"
    ]
    theirs = {cell: of for cell, is_theirs, of in figures if is_theirs}
    ours = {cell: of for cell, is_theirs, of in figures if not is_theirs and cell in theirs}
    for (table, seed, detector), own in ours.items():
        other = theirs[table, seed, detector]
        if (name := _differing(own, other)) is not None:
            yield (
                f"{detector} on {table} (seed {seed}), fitted here, is not quite that of the shipped results "
                f"({name} {own[name]:.6g}, there {other[name]:.6g}); to compare like with like: --recompute"
            )


def _figures(record: Record, scope: str) -> dict[str, Any]:
    quality, scores = record.detector.quality, record.scores[scope]
    return {"AUC-ROC": quality["auc_roc"]} | {name: scores[name] for name in COMPARED}


def _differing(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """Return the name of a figure that differs, if one does."""
    pairs = ((name, ours[name], theirs[name]) for name in ours)
    return next((name for name, a, b in pairs if None not in {a, b} and abs(a - b) > SAME), None)
