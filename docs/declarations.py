"""The reference's tables, made from what the package declares."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from inspect import getdoc
from pathlib import Path

import pandas as pd

from xadbench.datasets.common.rendering import as_markdown as render
from xadbench.datasets.common.rendering import code
from xadbench.datasets.sources.bundled import BUNDLED
from xadbench.evaluation.cli.catalogue import CATALOGUE
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.explainers import EXPLAINERS, make_explainer
from xadbench.evaluation.metrics import FILL_VALUES, METRICS, Metric
from xadbench.generator.anomalies.registry import KINDS

Rows = Iterator[dict[str, object]]


def codes(names: frozenset[str]) -> str:
    """Return names in alphabetical order, as Markdown shows them."""
    return ", ".join(code(name) for name in sorted(names))


def metrics() -> Rows:
    """Yield what a reader must know about each metric of attributions."""
    for name, metric in METRICS.items():
        yield {
            "name": code(name),
            "what it is, after whom": f"{metric.description} ({metric.source})",
            "range": interval(metric),
            "better": "higher" if metric.higher_is_better else "lower",
            "chance": "known" if metric.chance else "",
            "needs": codes(metric.needs),
        }


def interval(metric: Metric) -> str:
    """Return a metric's range, as in [0, ∞)."""
    low, high = metric.range
    left = "(-∞" if low == -float("inf") else f"[{low:g}"
    right = "∞)" if high == float("inf") else f"{high:g}]"
    return f"{left}, {right}"


def fill_values() -> Rows:
    """Yield what may stand for an absent feature."""
    for name, fill_value in FILL_VALUES.items():
        yield {"name": code(name), "what it is": fill_value.description}


def explainers() -> Rows:
    """Yield the explainers of the registry, with what each needs of a detector."""
    for name, entry in EXPLAINERS.items():
        requires = make_explainer(name, random_state=0).requires
        yield {
            "name": code(name),
            "what it is": entry.description,
            "needs of the detector": codes(requires),
            "parameters": codes(entry.load().accepts),
        }


def detectors() -> Rows:
    """Yield the detectors of the registry."""
    for name, entry in DETECTORS.items():
        yield {
            "name": code(name),
            "what it is": entry.description,
            "parameters": codes(entry.load().accepts),
        }


def kinds() -> Rows:
    """Yield the kinds of anomaly, with the first sentence of each one's docstring."""
    for name, kind in KINDS.items():
        sentence = (getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
        yield {"kind": code(name), "what it does": sentence, "settings": codes(settings(kind))}


def settings(kind: type) -> frozenset[str]:
    """Return what a recipe may say of a kind beside its name."""
    return frozenset(kind.model_fields) - {"kind"}


def listed(what: str) -> Callable[[], Rows]:
    """Return what yields the lines of `xadbench list WHAT`."""

    def rows() -> Rows:
        for name, description in CATALOGUE[what]():
            yield {"name": code(name), "what it is": description}

    return rows


def bundled() -> Rows:
    """Yield the real data sets that need no download."""
    for name, entry in BUNDLED.items():
        yield {"name": code(f"bundled:{name}"), "what it is": entry.description}


def as_markdown(rows: Callable[[], Rows]) -> Callable[[], str]:
    """Return what makes a Markdown table of rows."""

    def text() -> str:
        table = pd.DataFrame(rows())
        return render(table, list(table))

    return text


TABLES = {
    name: as_markdown(rows)
    for name, rows in {
        "metrics": metrics,
        "fill_values": fill_values,
        "explainers": explainers,
        "detectors": detectors,
        "kinds": kinds,
        "recipes": listed("recipes"),
        "releases": listed("releases"),
        "suites": listed("suites"),
        "experiments": listed("experiments"),
        "bundled": bundled,
    }.items()
}


def write_commands(page: Path) -> None:
    """Write the page of all commands, from their help; a console block for each example."""
    words = ["utils", "docs", "--name", "xadbench", "--title", "Commands"]
    reported = [sys.executable, "-m", "typer", "xadbench.evaluation.cli.app", *words]
    text = subprocess.check_output(reported, cwd=page.parent, text=True)  # noqa: S603  # our own words
    example = r"For example:\n\n```console\n$ \1\n```"
    page.write_text(re.sub(r"^Example: (.*)$", example, text, flags=re.MULTILINE))
