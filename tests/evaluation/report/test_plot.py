import numpy as np
import pytest

from xadbench.datasets import InputError
from xadbench.evaluation import plot
from xadbench.evaluation.results import store


@pytest.fixture(params=["folder", "records"])
def run(request, finished_run):
    return finished_run if request.param == "folder" else store.read_records(finished_run)


def test_the_leaderboard_has_each_explainer_and_control_with_its_interval(run):
    figure = plot.leaderboard(run)
    assert [bars.name for bars in figure.data] == ["forest", "&lt;b&gt;knn&lt;/b&gt;"]  # plotly takes HTML
    bars = figure.data[0]
    of = dict(zip(bars.y, bars.x, strict=True))
    assert of["good"] == pytest.approx(0.83, abs=0.02)
    assert {"random", "truth"} < {*of}
    assert bars.y[-1] == "good"  # on top
    assert len(bars.error_x.array) == len(bars.y)
    assert len({*bars.marker.color}) == 2


def test_cost_has_a_point_for_each_ranked_explainer(run):
    points = plot.cost(run, "anomalies").data[0]
    assert {*points.hovertext} == {"good", "fair", "poor_&amp;co"}
    assert all(seconds > 0 for seconds in points.x)


def test_the_attributions_of_a_row_stand_in_order_and_the_truth_apart():
    bars = plot.attributions([0.1, 0.7, -0.2], ["u", "<v>", "w"], [False, True, False]).data[0]
    assert bars.y == ("&lt;v&gt;", "u", "w")
    assert bars.x == (0.7, 0.1, -0.2)
    assert bars.marker.color[0] != bars.marker.color[1] == bars.marker.color[2]
    assert plot.attributions(np.arange(50.0)).data[0].y[0] == "x49"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([np.eye(2)], r"\(2, 2\)"),
        ([["text"]], "not numbers"),
        ([[np.nan]], "finite"),
        ([[1.0, 2.0], ["u"]], r"feature_names.*\(1,\).*\(2,\)"),
        ([[1.0, 2.0], (), [True]], r"ground_truth.*\(1,\).*\(2,\)"),
    ],
)
def test_bad_attributions_are_refused(arguments, match):
    with pytest.raises(InputError, match=match):
        plot.attributions(*arguments)


@pytest.mark.parametrize("function", [plot.leaderboard, plot.cost])
def test_no_run_and_no_scope_are_refused(function, finished_run, tmp_path):
    with pytest.raises(InputError, match=r"run\.json"):
        function(tmp_path)
    with pytest.raises(InputError, match="no records"):
        function([])
    with pytest.raises(InputError, match="flagged"):
        function(finished_run, "somewhere")
