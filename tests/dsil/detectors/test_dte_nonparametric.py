import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import invgamma
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from xadbench.datasets import InputError
from xadbench.dsil import DTENonParametric, load


def posterior(X, rows, n_neighbors, n_steps):
    """Return p(t | x) by brute force, (n, n_steps), with the normal density of x around a mean neighbour."""
    variances = 1 - np.cumprod(1 - np.linspace(1e-4, 1e-2, n_steps))
    b = np.sort(cdist(rows, X, "sqeuclidean"), axis=1)[:, :n_neighbors].mean(axis=1, keepdims=True) / 2
    log_p = -X.shape[1] / 2 * np.log(variances) - b / variances
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True), variances, b


def scores(X, rows, **settings):
    return DTENonParametric(**settings).fit(X).decision_function(rows)


@pytest.mark.parametrize("n_features", [1, 2, 3, 20, 2_000])
@pytest.mark.parametrize(("n_neighbors", "n_steps"), [(5, 300), (1, 50)])
def test_scores_are_mode_and_mean_of_the_posterior_computed_by_brute_force(n_features, n_neighbors, n_steps):
    rng = np.random.default_rng(0)
    X = 0.5 * rng.standard_normal((60, n_features))
    rows = X + rng.uniform(0, 1.5, (60, 1)) / np.sqrt(n_features) * rng.standard_normal(X.shape)
    p, _, _ = posterior(X, rows, n_neighbors, n_steps)
    settings = {"n_neighbors": n_neighbors, "n_steps": n_steps}
    assert np.array_equal(scores(X, rows, **settings), p.argmax(axis=1))
    np.testing.assert_allclose(
        scores(X, rows, statistic="mean", **settings), p @ np.arange(n_steps), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("n_features", [3, 20])
def test_the_posterior_is_scipys_inverse_gamma_density(n_features):
    X = np.random.default_rng(0).standard_normal((30, n_features))
    p, variances, b = posterior(X, X, 5, 300)
    density = invgamma.pdf(variances, a=n_features / 2 - 1, scale=b)
    np.testing.assert_allclose(p, density / density.sum(axis=1, keepdims=True), rtol=1e-9, atol=1e-12)


def test_planted_outliers_score_high_and_the_mean_unties_the_mode(planted):
    X, y = planted
    mode, mean = DTENonParametric().fit(0.1 * X), DTENonParametric(statistic="mean").fit(0.1 * X)
    for detector in (mode, mean):
        assert roc_auc_score(y, detector.decision_scores_) > 0.9
        assert ((detector.decision_scores_ >= 0) & (detector.decision_scores_ <= 299)).all()
    assert len(np.unique(mode.decision_scores_)) < len(np.unique(mean.decision_scores_)) == 400


@pytest.mark.parametrize(("statistic", "highest"), [("mode", 0), ("mean", 2)])
@pytest.mark.parametrize("n_features", [1, 2, 20])
def test_a_row_that_is_often_there_is_at_the_start_of_the_diffusion(statistic, highest, n_features):
    X = np.repeat(np.arange(4.0)[:, np.newaxis], 5, axis=0) * np.ones(n_features)
    detector = DTENonParametric(statistic=statistic).fit(X)
    far = detector.decision_function(X + 10)
    assert (far > detector.decision_scores_.max()).all()
    if n_features > 2:
        assert (detector.decision_scores_ <= highest).all()
    else:
        assert len(np.unique(detector.decision_scores_)) == 1


@pytest.mark.parametrize("statistic", ["mode", "mean"])
def test_a_row_far_away_is_at_the_end(statistic):
    X = np.random.default_rng(0).standard_normal((20, 3))
    assert scores(X, X + 1e9, statistic=statistic) == pytest.approx(299)
    assert scores(X, X[:0], statistic=statistic).shape == (0,)


@pytest.mark.parametrize("n_features", [3, 20])  # a tree, and no tree
def test_values_too_large_to_score_are_refused(n_features):
    X = np.random.default_rng(0).standard_normal((20, n_features))
    with pytest.raises(InputError, match="row 1 is too far from the training rows"):
        scores(X, X[:2] * [[1], [1e160]], statistic="mean")


def test_the_training_rows_are_the_detectors_own():
    X = 0.1 * np.random.default_rng(0).standard_normal((20, 20))
    detector = DTENonParametric().fit(X)
    rows = X.copy()
    X += 1
    assert np.array_equal(detector.decision_function(rows), detector.decision_scores_)


def test_a_loaded_detector_is_the_one_that_was_saved(tmp_path, planted):
    X, _ = planted
    detector = DTENonParametric(statistic="mean").fit(X)
    loaded = load(detector.save(tmp_path / "detector"))
    assert np.array_equal(loaded.decision_function(X), detector.decision_scores_)
    assert loaded.get_params() == detector.get_params()


def test_a_mean_over_many_rows_is_taken_in_parts(monkeypatch, planted):
    X, _ = planted
    whole = scores(X, X, statistic="mean")
    monkeypatch.setattr("xadbench.dsil.detectors.dte_nonparametric.ROWS_AT_ONCE", 64)
    assert np.array_equal(scores(X, X, statistic="mean"), whole)


def test_parameters_are_stored_as_given_and_survive_cloning():
    assert clone(DTENonParametric(7, 50, "mean", contamination=0.2)).get_params() == {
        "n_neighbors": 7,
        "n_steps": 50,
        "statistic": "mean",
        "contamination": 0.2,
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"statistic": "median"}, "unknown statistic 'median'.*; known: mean, mode"),
        ({"n_neighbors": 0}, "n_neighbors is 0, expected"),
        ({"n_neighbors": 5}, "n_neighbors is 5, expected at most the 4 rows of X"),
        ({"n_steps": 0}, "n_steps is 0, expected"),
        ({"contamination": 0}, "contamination is 0, expected a share"),
    ],
)
def test_bad_parameters_are_refused_at_fit(settings, message):
    with pytest.raises(InputError, match=message):
        DTENonParametric(**{"n_neighbors": 4, **settings}).fit(np.zeros((4, 2)))


@parametrize_with_checks(
    [DTENonParametric(n_neighbors=2), DTENonParametric(statistic="mean")],
)
def test_scikit_learn_finds_nothing_amiss(estimator, check):
    check(estimator)
