import numpy as np
import pytest

from xadbench.datasets import InputError, content_hash, load_bundled
from xadbench.datasets.sources.bundled import BUNDLED
from xadbench.datasets.sources.loading import size_of


@pytest.mark.parametrize(
    ("name", "n_normal", "n_features"), [("breast_cancer", 357, 30), ("digits", 178, 64), ("wine", 71, 13)]
)
def test_one_class_is_normal_and_the_others_are_thinned(name, n_normal, n_features):
    table = load_bundled(name)
    assert (int((~table.y).sum()), table.n_features) == (n_normal, n_features)
    assert table.y.mean() == pytest.approx(0.1, abs=0.005)


def test_no_ratio_keeps_every_row():
    assert load_bundled("wine", anomaly_ratio=None).n_rows == 178


def test_it_is_the_same_every_time():
    assert content_hash(load_bundled("digits")) == content_hash(load_bundled("digits"))


def test_features_have_their_names():
    assert load_bundled("breast_cancer").feature_names[0] == "mean radius"


@pytest.mark.parametrize("ratio", [0, 1, -0.5, np.nan])
def test_a_ratio_outside_0_1_is_refused(ratio):
    with pytest.raises(InputError, match=r"expected a number in \(0, 1\)"):
        load_bundled("wine", ratio)


def test_more_anomalies_than_there_are_is_refused():
    with pytest.raises(InputError, match=r"no more than 0\.37"):
        load_bundled("breast_cancer", 0.9)


def test_an_unknown_name_lists_the_known():
    with pytest.raises(InputError, match=r"'iris'.*; known: breast_cancer, digits, wine"):
        load_bundled("iris")


@pytest.mark.parametrize("name", BUNDLED)
def test_the_registry_says_how_large_a_set_is(name):
    table = load_bundled(name)
    assert (BUNDLED[name].n_rows, BUNDLED[name].n_features) == (table.n_rows, table.n_features)
    assert size_of(f"bundled:{name}") == table.X.size


@pytest.mark.parametrize(
    ("name", "expected"),
    [("adbench:WBC", 223 * 9), ("adbench:CV_by_ViT/SVHN_3", None), ("bundled:none", None), ("my.csv", None)],
)
def test_a_size_is_told_where_a_registry_has_it(name, expected):
    assert size_of(name) == expected
