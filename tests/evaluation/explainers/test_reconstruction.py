import numpy as np
import pytest

from xadbench.datasets import InputError
from xadbench.dsil import DDPM
from xadbench.evaluation.explainers import make_explainer


def test_attribution_is_the_part_of_each_feature_in_the_score():
    rows = np.random.default_rng(0).standard_normal((40, 3))
    detector = DDPM(epochs=2, batch_size=20, reverse_steps=5).fit(rows)
    attributions = make_explainer("reconstruction_error", random_state=0).fit(detector, rows).explain(rows)
    np.testing.assert_allclose(attributions.mean(axis=1), detector.decision_function(rows), rtol=1e-5)


def test_a_detector_that_reconstructs_nothing_is_refused():
    with pytest.raises(InputError, match="needs a reconstruction"):
        make_explainer("reconstruction_error", random_state=0).fit(object(), np.zeros((2, 2)))
