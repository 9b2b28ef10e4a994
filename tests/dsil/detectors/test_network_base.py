"""What DTE and DDPM share."""

from itertools import islice

import numpy as np
import pandas as pd
import pytest

from xadbench.dsil import DDPM, DSIL, DTE, load
from xadbench.dsil.detectors import ddpm, dte
from xadbench.dsil.detectors.base import InterruptWarning


def detectors(epochs):
    return [DTE(epochs=epochs), DDPM(epochs=epochs, n_steps=20, reverse_steps=5)]


each = pytest.mark.parametrize(
    ("detector", "short"), list(zip(detectors(4), detectors(2), strict=True)), ids=["DTE", "DDPM"]
)


@pytest.fixture
def rows(planted):
    return planted[0][:150]


@pytest.fixture
def interrupt(monkeypatch):
    """A function that has trainings interrupted after so many epochs, half-way in the next."""

    def after(n_epochs):
        for module in (dte, ddpm):

            def interrupted(network, *args, train=module.train, **settings):
                yield from islice(train(network, *args, **settings), n_epochs)
                for weights in network.state_dict().values():
                    weights.zero_()
                raise KeyboardInterrupt

            monkeypatch.setattr(module, "train", interrupted)

    return after


@each
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_interrupt_leaves_the_finished_epochs_to_the_bit(detector, short, method, rows, interrupt):
    getattr(short.fit(rows), method)(rows)
    detector.set_params(epochs=2).fit(rows).set_params(epochs=4)
    interrupt(2)
    with (
        pytest.warns(InterruptWarning, match="the fit is that of 2 of 4 epochs, ready for use") as reported,
        pytest.raises(KeyboardInterrupt),
    ):
        getattr(detector, method)(rows)
    assert [warning.filename for warning in reported] == [__file__]
    pd.testing.assert_frame_equal(detector.history_, short.history_)
    assert detector.n_rounds_ == short.n_rounds_
    assert np.array_equal(detector.decision_scores_, short.decision_scores_)
    assert np.array_equal(detector.predict(rows), short.labels_)


@each
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_interrupt_of_the_first_epoch_leaves_the_detector_as_it_was(
    detector, short, method, rows, interrupt
):
    short.fit(rows)
    before, unfitted = short.decision_function(rows), vars(type(short)())
    interrupt(0)
    with pytest.raises(KeyboardInterrupt):
        getattr(short, method)(rows[:, :5] if method == "fit" else rows)
    assert np.array_equal(short.decision_function(rows), before)
    fresh = type(short)()
    with pytest.raises(KeyboardInterrupt):
        getattr(fresh, method)(rows)
    assert vars(fresh) == unfitted


def test_what_an_interrupt_leaves_can_be_saved_and_trained_on(rows, interrupt, tmp_path, monkeypatch):
    detector = DTE(epochs=2)
    interrupt(1)
    with pytest.warns(InterruptWarning), pytest.raises(KeyboardInterrupt):
        detector.fit(rows)
    monkeypatch.undo()
    loaded = load(detector.save(tmp_path / "detector"))
    assert np.array_equal(loaded.decision_function(rows), detector.decision_scores_)
    assert loaded.partial_fit(rows).history_["round"].tolist() == [1, 2, 2]


def test_a_second_interrupt_leaves_the_detector_as_it_was(rows, interrupt, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    interrupt(2)
    monkeypatch.setattr(DTE, "_scores", interrupted)
    detector = DTE(epochs=4)
    with pytest.raises(KeyboardInterrupt):
        detector.fit(rows)
    assert not hasattr(detector, "network_")


def test_an_iteration_that_was_interrupted_is_dropped_and_told_once(rows, interrupt, monkeypatch):
    detector, whole = (DSIL(DTE(epochs=6), iterations=3) for _ in range(2))
    whole.fit(rows)
    evaluate = DSIL._score_round

    def score_and_interrupt(self, all_rows):
        evaluate(self, all_rows)
        interrupt(1)

    monkeypatch.setattr(DSIL, "_score_round", score_and_interrupt)
    with (
        pytest.warns(InterruptWarning, match="that of 1 of 3 iterations, ready for use") as reported,
        pytest.raises(KeyboardInterrupt),
    ):
        detector.fit(rows)
    assert [warning.filename for warning in reported] == [__file__]
    assert np.array_equal(detector.decision_function(rows), whole.iteration_scores_[0])
    assert len(detector.history_) == 1
