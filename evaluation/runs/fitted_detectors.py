"""Fitted detectors in the run's folder: fitted once, and loaded when trials are added or run again."""

from contextlib import suppress
from pathlib import Path

from xadbench.datasets import InputError
from xadbench.evaluation.results import store
from xadbench.evaluation.suite.spec import Component
from xadbench.evaluation.suite.tables import Source
from xadbench.evaluation.trial.fit import Fitted, fit, prepared
from xadbench.evaluation.trial.key import fit_key


def fit_once(run: Path, source: Source, component: Component) -> Fitted | None:
    """Return the detector that is stored in the run's folder, or fit it, and store it if it can be saved.

    Our own can; PyOD's are fitted again, see `docs/decisions/0014`. None for the oracle where the network is
    not known.
    """
    folder = run / "detectors" / fit_key(source, component)
    fitted = _load(folder, source)
    if fitted is None:
        fitted = fit(source, component)
        if fitted is not None:
            _save(folder, fitted)
    return fitted


def _load(folder: Path, source: Source) -> Fitted | None:
    from xadbench.dsil import load  # noqa: PLC0415  # torch takes a second to import

    seconds = (store.read_json(_about(folder)) or {}).get("seconds")
    if not isinstance(seconds, int | float):
        return None
    table, training = prepared(source)
    try:
        detector = load(folder)
        scores = detector.decision_function(table.X)
    except InputError:  # there is none, it was altered, of another table, or is of another version
        return None
    return Fitted(detector, table, scores, seconds, training)


def _save(folder: Path, fitted: Fitted) -> None:
    from xadbench.dsil.detectors.base import Detector  # noqa: PLC0415  # as above

    if isinstance(fitted.detector, Detector):
        store.write_json(_about(folder), {"seconds": fitted.seconds})
        with suppress(InputError):  # another process was first, or a parameter cannot be saved
            fitted.detector.save(folder)


def _about(folder: Path) -> Path:
    """Return where it is kept how long fitting took."""
    return folder.with_suffix(".json")
