import warnings

import numpy as np
import pandas as pd
import pytest

from xadbench.datasets import LabelledTable, read_table, write_table
from xadbench.datasets.common.errors import NoFeatureWarning
from xadbench.datasets.feature_names import _warn_once
from xadbench.datasets.sources.loading import as_table, load_dataset
from xadbench.datasets.table import as_table as table_of


@pytest.fixture(autouse=True)
def nothing_said():
    _warn_once.cache_clear()


def frame(**more):
    return pd.DataFrame({"a": [0.5, 1.5, 2.5, 3.5], **more})


@pytest.mark.parametrize("name", ["Class", "label", "target", "is_fraud", "Is Anomaly"])
def test_a_file_whose_labels_are_taken_as_a_feature_gets_one_warning_with_the_option(name, tmp_path):
    path = str(tmp_path / "mine.csv")
    frame(**{name: [0, 1, 0, 0]}).to_csv(path, index=False)
    with pytest.warns(NoFeatureWarning) as warned:
        both = [load_dataset(path), load_dataset(path)]
    assert both[0].n_features == 2
    assert len(warned) == 1
    for fact in (path, repr(name), f"--label-column {name}"):
        assert fact in str(warned[0].message)
    load_dataset(path, name)  # warnings are errors


@pytest.mark.parametrize("name", ["id", "ID", "customer_id", "Unnamed: 0", "__index_level_0__"])
def test_a_number_of_each_row_that_is_taken_as_a_feature_is_warned_of(name, tmp_path):
    path = str(tmp_path / "mine.parquet")
    frame(**{name: [3, 1, 2, 0]}).to_parquet(path)
    with pytest.warns(NoFeatureWarning, match=f"{name}.*remove it"):
        load_dataset(path)


@pytest.mark.parametrize(
    "take",
    [
        lambda X: LabelledTable(X=X, y=np.zeros(4)),
        lambda X: table_of(X, "table"),
        lambda X: as_table(lambda: (X, np.zeros(4))),
        lambda X: as_table(
            lambda: LabelledTable(X=X.to_numpy(), y=np.zeros(4), feature_names=tuple(X.columns))
        ),
    ],
)
def test_every_road_of_a_frame_warns(take, tmp_path):
    with pytest.warns(NoFeatureWarning, match="'Class'") as warned:
        table = take(frame(Class=[0, 1, 0, 0]))
    assert len(warned) == 1
    write_table(table, tmp_path / "t")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_table(tmp_path / "t")


@pytest.mark.parametrize(
    "more",
    [
        {"Class": [0, 1, 2, 3]},
        {"id": [0.5, 1, 2, 3]},
        {"id": [1, 1, 2, 3]},
        {"code": [0, 1, 2, 3], "b": [0, 1, 0, 1]},
    ],
)
def test_other_columns_are_features(more):
    LabelledTable(X=frame(**more), y=np.zeros(4))  # warnings are errors
