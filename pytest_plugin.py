"""A pytest fixture that scores an explainer; nothing but pytest is imported until a test uses it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xadbench.evaluation.submission.placement import Placement

KEY = "xadbench"  # in pytest-benchmark's extra_info, where `xadbench compare` looks
FIGURES = ("mean", "low", "high", "chance", "seconds", "normalised_time")
Scores = dict[str, dict[str, float]]


@pytest.fixture
def xadbench_score(request: pytest.FixtureRequest) -> Callable[..., Scores]:
    """Return a function that scores an explainer beside the baselines of a suite.

    It takes what `xadbench.evaluation.submission.score.score_on_suite` takes, but always an explainer (a
    class, a function, an object or a name); `suite` is "quick" if not told. It returns for each detector:
    `mean`, the adjusted nDCG_m, with `low` and `high`, its 95 % interval over tables (NaN if there is one);
    `place` among `entries`; `chance`; `oracle`, NaN where there is none; `seconds` and `normalised_time` of a
    trial. The test fails where a detector's trials gave no score.

    Where the test uses the fixture `benchmark` of pytest-benchmark, scores and trials go into its
    `extra_info["xadbench"]`, by which `xadbench compare` can evaluate two files of benchmarks.

    Examples
    --------
    ::

        def test_mine_is_better_than_chance(xadbench_score):
            scores = xadbench_score(MyExplainer, suite="quick")
            assert scores["dsil_fixed"]["low"] > 0
    """

    def score(explainer: Any, suite: Any = "quick", *args: Any, **settings: Any) -> Scores:
        from xadbench.datasets.common.errors import InputError  # noqa: PLC0415  # as below
        from xadbench.evaluation.submission.score import score_on_suite  # noqa: PLC0415  # takes seconds to import

        if explainer is None:
            raise InputError("no explainer to score; a detector or data set alone: score_on_suite")
        placement = score_on_suite(explainer, suite, *args, **settings)
        scores = {place.board.detector: _scores(place) for place in placement.places}
        if "benchmark" in request.fixturenames:
            _record(request.getfixturevalue("benchmark").extra_info, placement, scores)
        return scores

    return score


def _scores(place: Any) -> dict[str, float]:
    if place.reason:
        pytest.fail(f"{place.label} on {place.board.detector}: {place.reason}", pytrace=False)
    references = place.board.references["mean"]
    return {
        **{name: float(place.own[name]) for name in FIGURES},
        "place": int(place.own["place"]),
        "entries": len(place.standing),
        "oracle": float(references.get("oracle", float("nan"))),
    }


def _record(extra_info: dict[str, Any], placement: "Placement", scores: Scores) -> None:
    """Put scores and trials beside those of the explainers that the test scored before; again: instead."""
    from xadbench.evaluation.results.store import without_nan  # noqa: PLC0415  # as above

    label = placement.label
    reported = extra_info.setdefault(KEY, {"scores": {}, "records": []})
    reported["scores"][label] = without_nan(scores)
    others = [record for record in reported["records"] if record["explainer"]["label"] != label]
    own = [record.as_json() for record in placement.records if record.explainer.label == label]
    reported["records"] = [*others, *without_nan(own)]
