import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from xadbench.datasets import InputError
from xadbench.dsil import DSIL, Ensemble, Gaussian, Neighbours, Tails, load
from xadbench.dsil.detectors.ensemble import robust_units, tuned_members


@pytest.fixture(name="X")
def rows():
    return np.random.default_rng(0).standard_normal((300, 4)) * [1, 10, 0.1, 3] + 5


def robust(values):
    location = np.median(values, axis=0)
    deviation = np.median(np.abs(values - location), axis=0) * 1.482602
    return (values - location) / deviation


def test_the_score_is_the_mean_of_the_members_in_robust_units(X):
    members = [DSIL(Gaussian(), iterations=3), Tails()]
    rows = robust(X)
    expected = np.mean([robust(member.fit(rows).decision_scores_) for member in members], axis=0)
    assert_allclose(
        Ensemble([clone(member) for member in members]).fit(X).decision_scores_, expected, rtol=1e-5
    )


def test_a_cell_counts_as_twenty_units_at_most(X):
    detector = Ensemble([Gaussian()]).fit(X)
    far, farther = (X[0] + np.array([[0, distance, 0, 0]]) for distance in (1e4, 1e9))
    assert_array_equal(detector.decision_function(far), detector.decision_function(farther))
    assert detector.decision_function(far) > detector.decision_scores_.max()


def test_the_three_find_what_one_is_blind_to():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((600, 1)) + 0.3 * rng.standard_normal((600, 6))
    y = np.arange(600) < 12
    rows[y] = [1, -1, 1, -1, 1, -1] + 0.3 * rng.standard_normal((12, 6))  # no value of these is far out
    tails, all_three = DSIL(Tails()).fit(rows), Ensemble().fit(rows)
    assert roc_auc_score(y, all_three.decision_scores_) > 0.95
    assert roc_auc_score(y, tails.decision_scores_) < 0.8


def test_none_stands_for_the_tuned_members_and_members_stay_as_they_are(X):
    members = tuned_members()
    given = Ensemble(members).fit(X)
    assert_array_equal(given.decision_scores_, Ensemble().fit(X).decision_scores_)
    assert not any(hasattr(member, "threshold_") for member in members)
    assert [type(member) for member in given.members_] == [DSIL] * 3


def test_any_detector_can_be_a_member_and_scikit_learns_are_negated(X):
    forest = Ensemble([IsolationForest(n_estimators=20, random_state=0)]).fit(X)
    assert forest.decision_function([[5, 5, 5, 5], [9, 45, 5.4, 17]]).argmax() == 1


def test_a_saved_one_scores_the_same(X, tmp_path):
    detector = Ensemble().fit(X)
    assert_array_equal(load(detector.save(tmp_path / "d")).decision_function(X), detector.decision_scores_)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "members is empty, expected at least one detector"),
        (["iforest"], "base is str, expected an unfitted detector with fit and decision_function"),
    ],
)
def test_bad_members_are_refused(X, members, message):
    with pytest.raises(InputError, match=message):
        Ensemble(members).fit(X)


class InterruptedIn(Neighbours):
    """Interrupts the second fit of each copy of it."""

    fits = 0

    def _learn(self, rows):
        type(self).fits += 1
        if type(self).fits == 2:
            raise KeyboardInterrupt
        super()._learn(rows)


def test_an_interrupt_leaves_it_as_it_was(X):
    detector = Ensemble([DSIL(InterruptedIn(), iterations=3)])
    before = dict(vars(detector))
    with pytest.raises(KeyboardInterrupt):
        detector.fit(X)
    assert vars(detector) == before


def test_a_column_that_is_mostly_one_value_has_a_unit_too():
    values = np.column_stack([np.arange(10.0), np.r_[np.zeros(8), 3, 4], np.full(10, 7.0)])
    location, scale = robust_units(values)
    assert_allclose(location, [4.5, 0, 7])
    assert_allclose(scale, [2.5 * 1.482602, values[:, 1].std(), 1], rtol=1e-6)
