import json

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.exceptions import NotFittedError

from xadbench.datasets import InputError
from xadbench.dsil import DTE, load
from xadbench.dsil.detectors.base import Detector
from xadbench.dsil.detectors.retention import Fixed
from xadbench.dsil.serialization import _decode, _encode

X = np.random.default_rng(0).standard_normal((128, 4))


@pytest.fixture
def saved(tmp_path):
    """A saved detector and its folder."""
    detector = DTE(epochs=2, random_state=3).fit(X)
    return detector, detector.save(tmp_path / "detector")


@pytest.mark.parametrize("method", ["categorical", "inverse_gamma"])
def test_a_loaded_detector_is_the_one_that_was_saved(tmp_path, method):
    frame = pd.DataFrame(X, columns=list("abcd"))
    detector = DTE(method, epochs=2, learning_rate=1 / 3000).fit(frame).partial_fit(frame)
    loaded = load(detector.save(tmp_path / "new" / "detector"))
    assert type(loaded) is DTE
    assert np.array_equal(loaded.decision_function(frame), detector.decision_function(frame))
    assert loaded.get_params() == detector.get_params()
    assert loaded.threshold_ == detector.threshold_
    assert loaded.n_rounds_ == 2
    pd.testing.assert_frame_equal(loaded.history_, detector.history_)
    for name in ("labels_", "decision_scores_", "feature_names_in_"):
        assert np.array_equal(getattr(loaded, name), getattr(detector, name))
        assert getattr(loaded, name).dtype == getattr(detector, name).dtype
    assert vars(loaded).keys() == vars(detector).keys()
    more, same = loaded.partial_fit(frame), detector.partial_fit(frame)
    assert np.array_equal(more.decision_scores_, same.decision_scores_)


def test_detectors_and_schedules_inside_others_are_saved_too():
    inner, arrays = DTE(epochs=2).fit(X), {}
    value = {"a": [inner, DTE(epochs=7)], "b": (Fixed(0.3), None, 1.5), "c": True}
    described = json.loads(json.dumps(_encode(value, "own", arrays)))
    read = _decode(described, arrays)
    assert np.array_equal(read["a"][0].decision_function(X), inner.decision_function(X))
    assert read["a"][1].get_params() == DTE(epochs=7).get_params()
    assert not hasattr(read["a"][1], "network_")
    assert (read["b"], read["c"]) == ((Fixed(0.3), None, 1.5), True)


def test_a_folder_is_never_overwritten_and_nothing_half_written_stays(saved, tmp_path):
    detector, folder = saved
    with pytest.raises(InputError, match="exists already"):
        detector.save(folder)
    with pytest.raises(NotFittedError):
        DTE().save(tmp_path / "unfitted")
    detector.history_ = print
    with pytest.raises(InputError, match=r"DTE\.history_ is of builtin_function_or_method, which cannot be"):
        detector.save(tmp_path / "other")
    assert list(tmp_path.iterdir()) == [folder]
    assert sorted(path.name for path in folder.iterdir()) == ["arrays.safetensors", "detector.json"]


def test_a_class_of_somebody_else_is_not_saved(tmp_path):
    class Foreign(Detector):
        contamination = 0.1

        def _learn(self, rows):
            pass

        def _scores(self, rows):
            return rows[:, 0]

    with pytest.raises(InputError, match="Foreign is of Foreign, which cannot be saved"):
        Foreign().fit(X).save(tmp_path / "foreign")


@pytest.mark.parametrize("name", ["arrays.safetensors", "detector.json"])
@pytest.mark.parametrize("kept", [None, 0, 100, -1])
def test_a_missing_or_truncated_file_is_refused(saved, name, kept):
    path = saved[1] / name
    content = path.read_bytes()
    path.unlink()
    if kept is not None:
        path.write_bytes(content.rstrip()[:kept])
    with pytest.raises(InputError, match=rf"{name}: (cannot be read|not a detector saved by XADBench): "):
        load(saved[1])


def test_a_missing_or_misshapen_array_is_refused(saved):
    path = saved[1] / "arrays.safetensors"
    arrays = load_file(path)
    save_file({**arrays, "DTE.network_.layers.0.weight": np.ones((2, 2), np.float32)}, path)
    with pytest.raises(InputError, match=r"not a whole detector: .*size mismatch"):
        load(saved[1])
    arrays.pop("DTE.network_.layers.0.weight")
    save_file(arrays, path)
    with pytest.raises(InputError, match=r"unknown array 'DTE\.network_\.layers\.0\.weight'.*; known: "):
        load(saved[1])


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("format",), 2, r"detector\.json: not a detector of format 1"),
        (("detector", "class"), "Popen", "unknown class 'Popen'.*; known: .*DTE"),
        (("detector", "version"), 0, "saved by version 0 of DTE, here it is [1-9]"),
        (("detector", "parameters"), {"depth": 3}, "not a whole detector: TypeError"),
        (("detector", "fitted"), {"threshold_": 1}, "not a whole detector: "),
        (("detector",), {"array": "a", "list": {}}, "not a whole detector: "),
        (("detector",), "DTE", "not a whole detector: "),
        (("detector", "fitted"), {}, "not a whole detector: "),
    ],
)
def test_another_format_or_class_is_refused(saved, where, value, message):
    path = saved[1] / "detector.json"
    header = json.loads(path.read_text())
    inner = header
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    path.write_text(json.dumps(header))
    with pytest.raises(InputError, match=message):
        load(saved[1])
