"""Shows what the gate says: on a terminal, as Markdown, JSON and JUnit's ET."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import isnan
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
from rich.table import Table

from xadbench.datasets.common import rendering
from xadbench.datasets.common.rendering import code

from .compare import RegressionCheck
from .local import TOLERATED
from .pairing import NOTE, TIME, Notice
from .verdict import SUITE, Comparison

HEADINGS = ("measure", "explainer", "base", "new", "change", "interval", "trials", "verdict")
ORDER = ("worse", "unclear", "better", "ok")
SHOWN, LISTED = 5, 20  # of losses on parts of the suite
UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 has no such
MEANINGS = (
    "worse: a loss beyond the tolerance, and more than chance, which fails. unclear: a loss beyond the "
    "tolerance is measured, which may be chance. ok: none is."
)


def headline(check: RegressionCheck) -> str:
    """Return in one line whether the gate passed, and by which criteria."""
    if check.not_comparable:
        return "not comparable: these two runs cannot be compared"
    if check.passed:
        n = len(check.comparisons) + len(check.parts)
        return f"passed: no loss shown in {n} comparisons"
    n = len(check.stopping)
    lost = [_name(one) for one in check.stopping[:SHOWN]] + ([f"{n - SHOWN} more"] if n > SHOWN else [])
    lost += [f"{len(check.failures)} new kind(s) of failure"] if check.failures else []
    return f"failed: {', '.join(lost)}"


def _name(one: Comparison) -> str:
    measure = f"{one.explainer} ({one.measure})"
    if one.level == "explainer":
        return f"{measure} on all rows"
    return f"{measure} on {one.level} {one.where}" if one.where else measure


def losses(check: RegressionCheck) -> list[str]:
    """Return in words the losses on trials, tables and detectors, the shown ones and the greatest first."""
    found = sorted(
        (one for one in check.parts if one.verdict in {"worse", "unclear"}),
        key=lambda one: (ORDER.index(one.verdict), -abs(one.change)),
    )
    words = [f"{one.verdict}: {_name(one)}: {_part(one)}" for one in found[:LISTED]]
    return words + ([f"and {len(found) - LISTED} more (all: --json)"] if len(found) > LISTED else [])


def _part(one: Comparison) -> str:
    if one.is_fact:
        return f"{_difference(one.change)}, and nothing it depends on changed"
    interval = (
        "no interval" if isnan(one.low) else f"{_difference(one.low)} to {_difference(one.high)} by rows"
    )
    return f"{_difference(one.change)} ({interval}, {one.n_units} rows)"


def sensitivity(check: RegressionCheck) -> str:
    """Return in words what losses the check would find with 95 %, and where it could not fail."""
    words = [
        _finds(level, [one for one in found if one.measure != TIME])
        for level, found in (
            ("mean", check.comparisons),
            *((level, [one for one in check.parts if one.level == level]) for level in TOLERATED),
        )
    ]
    return "With 95 %, this suite finds " + "; ".join(filter(None, words)) + "."


def _finds(level: str, found: Sequence[Comparison]) -> str:
    """Return the loss that is found wherever one can be; beyond what a score has, none can."""
    if not found:
        return ""
    place = {"mean": "in a mean over tables", "explainer": "on all rows"}.get(level, f"on one {level}")
    smallest = [one.smallest for one in found if one.smallest <= 1]
    blind = len(found) - len(smallest)
    if not smallest:
        return f"no loss {place}: too few {'tables' if level == 'mean' else 'rows, or none known'}"
    apart = f", and none on {blind} of {len(found)}" if blind else ""
    low, high = (f"{of(smallest):.2g}" for of in (min, max))
    return f"a loss of {high} or more {place}{f' ({low} on the largest)' if low != high else ''}{apart}"


def criteria_of(check: RegressionCheck) -> str:
    """Return the terms in words."""
    criteria, n = check.criteria, sum(one.differs for one in check.comparisons)
    n_parts = sum(one.is_tested for one in check.parts)
    error = (1 - criteria.level) / (2 if n_parts else 1)
    time = (
        "not evaluated"
        if criteria.time_tolerance is None
        else f"x {criteria.time_tolerance:g}, in matmul-normalised time"
    )
    bounds = (
        f"Each bound holds with {1 - error / max(n, 1):.2%}, so that those of all {n} that "
        f"show any difference do with {1 - error:.1%}"
        + (f"; those of {n_parts} trials, tables and detectors likewise." if n_parts else ".")
    )
    tolerated = ", ".join(
        f"{max(of, criteria.tolerance):g} on one {level}" for level, of in TOLERATED.items() if of
    )
    given = f"Rows: {criteria.scope}. Tolerance: {criteria.tolerance:g}, {tolerated}; of time: {time}."
    return f"{given} {bounds if n else 'No pair differs.'}"


def hints(check: RegressionCheck) -> Iterator[str]:
    """Yield the notices, the refusals first; each that stops the gate with the option that allows it."""
    stopping = [*check.not_comparable, *check.failures]
    for notice in stopping:
        yield f"{notice} [allow it: --allow-{notice.kind}]"
    for notice in check.notices:
        if notice not in stopping:
            yield f"{'note' if notice.kind == NOTE else 'allowed'}: {notice}"


def as_rich(check: RegressionCheck) -> Iterator[Table]:
    """Yield a table of the comparisons by each measure, for a terminal of 80 columns or more."""
    table = _table(check).set_index("measure")
    for measure in dict.fromkeys(one.measure for one in check.comparisons):
        yield rendering.as_rich(table.loc[[measure]], measure, ["explainer"])


def _table(check: RegressionCheck) -> pd.DataFrame:
    ordered = sorted(check.comparisons, key=lambda one: ORDER.index(one.verdict))
    return pd.DataFrame(map(_cells, ordered), columns=list(HEADINGS))


def _cells(one: Comparison) -> list[str]:
    number = _ratio if one.measure == TIME else _difference
    level = "{:.3g}".format if one.measure == TIME else "{:.3f}".format
    interval = "none" if isnan(one.low) else f"{number(one.low)} to {number(one.high)}"
    return [
        *(one.measure, one.explainer, level(one.base), level(one.new), number(one.change), interval),
        *(str(one.n_pairs), one.verdict),
    ]


def _ratio(value: float) -> str:
    return f"x {value:.3g}"


def _difference(value: float) -> str:
    return f"{value:+.3f}"


def as_markdown(check: RegressionCheck) -> str:
    """Return the gate's answer for a comment on a pull request; names are in code spans, and do nothing."""
    parts = [f"### XADBench gate {_plain(headline(check))}", f"{code(check.new)} against {code(check.base)}."]
    if check.comparisons:
        table = _table(check)
        table["explainer"] = table["explainer"].map(code)
        table["verdict"] = table["verdict"].replace("worse", "**worse**")
        parts.append(rendering.as_markdown(table, ["explainer", "verdict"]))
    listed = [*losses(check), *hints(check)]
    parts += ["\n".join(f"- {code(line)}" for line in listed)] if listed else []
    parts += [f"<sub>{sensitivity(check)} {criteria_of(check)} {MEANINGS}</sub>"] if check.comparisons else []
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    status, _, rest = text.partition(": ")
    return f"{status}: {code(rest)}" if status == "failed" else text


def as_json(check: RegressionCheck) -> dict[str, Any]:
    """Return the gate's answer as JSON values."""
    stopping = [*check.not_comparable, *check.failures]
    return {
        "base": check.base,
        "new": check.new,
        "outcome": "not comparable" if check.not_comparable else "passed" if check.passed else "failed",
        "criteria": asdict(check.criteria) | {"allowed": sorted(check.criteria.allowed)},
        "comparisons": [asdict(one) for one in check.comparisons],
        "parts": [asdict(one) for one in check.parts],
        "notices": [asdict(one) | {"stops": one in stopping} for one in check.notices],
    }


def as_junit(check: RegressionCheck) -> bytes:
    """Return the gate's answer as JUnit's XML: a test a comparison, and one for each notice that stops it."""
    suite = ET.Element("testsuite", name="xadbench compare")
    for one in check.comparisons:
        case = _case(suite, one.measure, one.explainer)
        cells = zip(HEADINGS[2:], _cells(one)[2:], strict=True)
        text = " ".join(f"{heading} {cell}" for heading, cell in cells)
        if one in check.stopping:
            _say(case, "failure", text)
        else:
            ET.SubElement(case, "system-out").text = _printable(text)
    for one in check.stopping:
        if one.level != SUITE:
            _say(_case(suite, one.measure, _name(one)), "failure", f"{one.verdict}: {_part(one)}")
    for kind, notices in (("failure", check.failures), ("error", check.not_comparable)):
        for notice in notices:
            _say(_case(suite, notice.kind, notice.text), kind, _whole(notice))
    for kind in ("failure", "error"):
        suite.set(f"{kind}s", str(len(suite.findall(f"./testcase/{kind}"))))
    suite.set("tests", str(len(suite)))
    root = ET.Element("testsuites")
    root.append(suite)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _case(suite: ET.Element, classname: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_printable(classname), name=_printable(name))


def _say(case: ET.Element, kind: str, text: str) -> None:
    ET.SubElement(case, kind, message=_printable(text.partition("\n")[0])).text = _printable(text)


def _whole(notice: Notice) -> str:
    return "\n".join([notice.text, *notice.trials])


def _printable(text: str) -> str:
    return UNPRINTABLE.sub("?", text)
