import numpy as np
import pytest

from xadbench.datasets.common.arrays import BoolArray, FloatArray
from xadbench.datasets.common.errors import InputError
from xadbench.evaluation import metrics

every = pytest.mark.parametrize("metric", metrics.DETECTION.values(), ids=metrics.DETECTION)
Y = np.array([True, True, False, False, False])


@every
def test_perfect_scores_are_worth_one(metric) -> None:
    assert metric(Y.astype(float), Y) == 1


@every
@pytest.mark.parametrize("y", [np.zeros(3, bool), np.ones(3, bool)], ids=["all normal", "all anomalous"])
def test_one_class_has_no_value(metric, y: BoolArray) -> None:
    assert np.isnan(metric(np.arange(3.0), y))


def test_auc_is_the_share_of_pairs_in_order_ties_one_half() -> None:
    assert metrics.auc_roc(np.array([3.0, 1.0, 2.0, 1.0, 0.0]), Y) == pytest.approx((3 + 0 + 0.5 + 1) / 6)


def test_average_precision_by_hand() -> None:
    scores = np.array([5.0, 3.0, 4.0, 2.0, 1.0])  # anomalies at ranks 1 and 3
    assert metrics.average_precision(scores, Y) == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([5.0, 3.0, 4.0, 2.0, 1.0], 1 / 2),
        ([5.0, 4.0, 4.0, 1.0, 0.0], 3 / 4),  # one place for two rows, one of them anomalous
        ([5.0, 4.0, 4.0, 4.0, 0.0], (1 + 1 / 3) / 2),
        ([1.0, 1.0, 1.0, 1.0, 1.0], 2 / 5),
        ([0.0, 0.0, 1.0, 1.0, 1.0], 0.0),
    ],
)
def test_f1_at_n_by_hand(scores: list[float], expected: float) -> None:
    assert metrics.f1_at_n(np.array(scores), Y) == pytest.approx(expected)


@every
@pytest.mark.parametrize(
    ("scores", "y", "message"),
    [
        (np.zeros(4), Y, r"scores has shape \(4,\) and y has shape \(5,\)"),
        (np.full(5, np.inf), Y, r"5 value\(s\) that are NaN or infinite"),
        (np.zeros(5), Y.astype(int), "y has dtype int64, expected bool"),
    ],
)
def test_bad_input_is_named(metric, scores: FloatArray, y: BoolArray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        metric(scores, y)
