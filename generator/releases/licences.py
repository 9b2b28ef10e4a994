"""Under which terms the sources of a release came to us."""

from importlib.resources import files

from xadbench.datasets.common.rendering import code
from xadbench.datasets.sources.adbench import COMMIT

from .spec import Injection, Release

LICENCES = "LICENCES.md"

# UCI's data sets by the name that scikit-learn gives them; all under CC BY 4.0 (archive.ics.uci.edu).
UCI = {
    "breast_cancer": "Breast Cancer Wisconsin (Diagnostic), doi.org/10.24432/C5DW2B",
    "digits": "Optical Recognition of Handwritten Digits, doi.org/10.24432/C50P49",
    "wine": "Wine, doi.org/10.24432/C5PC7J",
}


def source_licence(injection: Injection) -> str:
    """Return in one line where the rows of an injected table come from, and on which terms."""
    source, _, name = injection.dataset.partition(":")
    if source == "adbench":
        return (
            f"{name} of ADBench, github.com/Minqi824/ADBench at commit {COMMIT}, BSD-2-Clause; "
            "its authors took it from elsewhere, and the terms of its origin hold as well"
        )
    if source == "bundled":
        return f"{name} as scikit-learn ships it (BSD-3-Clause), from UCI: {UCI[name]}, CC-BY-4.0"
    return f"{code(injection.dataset)}: the builder's own; its terms are not known here"


def licences(release: Release) -> str:
    """Return the licences of a release and of its sources, in Markdown."""
    injected = [entry for entry in release.tables if entry.inject is not None]
    link = f"https://spdx.org/licenses/{release.licence}.html"
    lines = [
        f"# Licences of {release.name} {release.version}",
        "",
        f"The tables and their description: {release.licence} ({link}).",
    ]
    if injected:
        lines += ["", "The rows into which anomalies were injected come from:", ""]
    lines += [f"- `{entry.folder}`: {source_licence(entry.inject)}." for entry in injected if entry.inject]
    if any(entry.inject.dataset.startswith("adbench:") for entry in injected if entry.inject):
        text = (files("xadbench.datasets.sources") / "adbench-LICENSE").read_text(encoding="utf-8")
        lines += ["", "## ADBench", "", *(f"    {line}".rstrip() for line in text.strip().splitlines())]
    return "\n".join(lines) + "\n"
