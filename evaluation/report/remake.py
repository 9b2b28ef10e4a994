"""What a run did not keep, made again on request: a table, and the attributions in its examples."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xadbench.datasets.common.arrays import FloatArray, IntArray
from xadbench.datasets.common.errors import BREAKS, InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.datasets.common.user_code import is_spec
from xadbench.evaluation.explainers import make_explainer
from xadbench.evaluation.results.table_summary import TableSummary
from xadbench.evaluation.runs.fitted_detectors import fit_once
from xadbench.evaluation.suite.controls import CONTROLS
from xadbench.evaluation.suite.spec import Component, TableSpec
from xadbench.evaluation.suite.tables import Source, load_source
from xadbench.evaluation.trial.explain import explain
from xadbench.evaluation.trial.fit import Fitted

MOST_CELLS = 5_000_000  # rows times features; a larger table takes longer to make than to read about


def remake(spec: TableSpec | None, facts: dict[str, Any]) -> Source | str:
    """Return the table that `spec` names, of the seed in `facts`, or why it cannot be shown.

    It is shown only if its content is that of the run's.
    """
    if spec is None or not isinstance(facts["content_hash"], str):
        return "the run keeps no rows, and does not say what made them"
    if str(spec.dataset).startswith("adbench:"):
        return "the run keeps no rows, and a report loads nothing from ADBench"
    if facts["n_rows"] * facts["n_features"] > MOST_CELLS:
        return "the run keeps no rows, and the table is too large to make again for a report"
    try:
        source = load_source(spec, int(facts["seed"]), run_code=False)  # the run may be anybody's
    except (InputError, OSError) as error:
        return f"the run keeps no rows, and the table cannot be made again: {error}"
    if source.hash != facts["content_hash"]:
        return "the run keeps no rows, and made again the table is another one than the run's"
    return source


@one_thread()
def explain_again(
    run: Path, source: Source, summary: TableSummary, detector: Component, explainers: Sequence[Component]
) -> dict[str, pd.DataFrame]:
    """Return what explainers attributions in a table summary's examples, as `load_attributions`, by label.

    The detector is fitted again where the run's folder does not have it. Explainers that do not suit it, or
    fail, are left out; so are all whose code is neither ours nor installed, since the run may be anybody's.
    """
    if _names_code(detector):
        return {}
    fitted = fit_once(run, source, detector)
    rows = np.array([example.row for example in summary.examples], dtype=np.intp)
    if fitted is None or not len(rows):
        return {}
    index = pd.MultiIndex.from_arrays([rows, fitted.flag_probability[rows]], names=["row", "detected"])
    known = [one for one in explainers if not _names_code(one)]
    made = {one.label: _attributions(source, fitted, one, rows) for one in known}
    return {name: pd.DataFrame(of, index=index) for name, of in made.items() if of is not None}


def _names_code(component: Component) -> bool:
    """Whether a component, or a parameter of it, such as the base of DSIL, may name a module or file."""
    waiting: list[Any] = [component.name, component.params]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and is_spec(value):
            return True
        waiting += (
            value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        )
    return False


def _attributions(source: Source, fitted: Fitted, component: Component, rows: IntArray) -> FloatArray | None:
    if component.name in CONTROLS:
        return CONTROLS[component.name](source, rows)
    try:
        made = make_explainer(component.name, random_state=source.seed, **component.params)
        return explain(made, fitted, rows)
    except BREAKS:
        raise
    except BaseException:  # noqa: BLE001  # as in a trial: whatever a plug-in raises
        return None
