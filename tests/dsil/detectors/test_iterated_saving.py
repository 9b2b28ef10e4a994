"""Each detector of the package under DSIL, saved and read again."""

import numpy as np
import pytest

from xadbench.dsil import DDPM, DSIL, DTE, DTENonParametric, WeightedLoss, load
from xadbench.dsil.detectors.retention import Cosine

OWN = [
    DTE(epochs=4),
    DTE("inverse_gamma", epochs=4),
    DTENonParametric(),
    DDPM(epochs=4),
    WeightedLoss(DTE(epochs=4), rounds=2),
]


@pytest.mark.parametrize(
    "base", OWN, ids=lambda base: f"{type(base).__name__}-{base.get_params().get('method')}"
)
def test_each_detector_of_the_package_can_be_iterated_saved_and_read_again(planted, tmp_path, base):
    X = planted[0][:128]
    detector = DSIL(base, Cosine(0.9, 0.6), iterations=2).fit(X)
    assert np.isfinite(detector.iteration_scores_).all()
    assert hasattr(detector, "score_tensor") == hasattr(base, "score_tensor")
    read = load(detector.save(tmp_path / "detector"))
    assert np.array_equal(read.decision_function(X), detector.decision_function(X))
    assert read.history_.equals(detector.history_)
    assert np.array_equal(read.kept_, detector.kept_)
    assert read.retention == Cosine(0.9, 0.6)
