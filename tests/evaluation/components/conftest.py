"""A folder of the user's code, and a distribution of plug-ins good and bad."""

import importlib

import numpy as np
import pytest

MINE = '''
import numpy as np
from pyod.models.knn import KNN
from sklearn.neighbors import LocalOutlierFactor
from xadbench.datasets import LabelledTable

class Far:
    """Distance from the mean.

    Not told.
    """
    def __init__(self, power=1.0, random_state=None):
        if power < 0:
            raise RuntimeError("power is\\nnegative")
        self.power, self.random_state = power, random_state
    def fit(self, detector, background):
        self.mean = background.mean(axis=0)
        return self
    def explain(self, X):
        return np.abs(X - self.mean) ** self.power

def attributions(detector, background, X, power=1.0, random_state=None):
    return np.abs(X) ** power + 0 * random_state
def short(detector, X): return X
def anything(*args, **settings): return args[2]
class Nothing: ...
class Exits(Far):
    def __init__(self): raise SystemExit(3)
class Scores:
    def fit(self, X): return self
    def decision_function(self, X): return (X ** 2).sum(axis=1)
class Negative(LocalOutlierFactor):
    def decision_function(self, X): return -super().decision_function(X)
made = Far()

X, y = np.eye(4), [0, 0, 0, 1]
def whole(): return LabelledTable(X=X, y=y)
def pair(): return X, y
def triple(): return X, y, np.diag(y)
def framed():
    import pandas as pd
    return pd.DataFrame(X, columns=list("abcd")), pd.Series(y)
def raising(): raise KeyError("no\\nfile")
def leaving(): raise SystemExit(3)
def infinite(): return X / 0 * 0, y
def alone(): return X
'''


@pytest.fixture
def folder(code_folder):
    """The current folder, with MINE as a file and as a module."""
    (code_folder / "mine.py").write_text(MINE)
    return code_folder


ENTRY_POINTS = """
[xadbench.explainers]
acme_far = mine:Far
acme_attribution = mine:attributions
oracle = mine:Far
z_score = mine:Far
acme_gone = none_such:Far
acme_nothing = mine:Nothing
acme:colon = mine:Far
[xadbench.detectors]
acme_scores = mine:Scores
acme_reversed = sklearn.neighbors:LocalOutlierFactor
[xadbench.datasets]
acme_table = mine:triple
acme_extra = mine:triple [fast, gpu]
acme_data = mine:X
"""


def _install(folder, name, entries):
    about = folder / f"{name}-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (about / "entry_points.txt").write_text(entries)


@pytest.fixture
def acme(folder, monkeypatch):
    """A distribution with plug-ins good and bad is installed."""
    _install(folder, "acme", ENTRY_POINTS)
    monkeypatch.syspath_prepend(folder)
    importlib.invalidate_caches()


def _fitted(explainer):
    return explainer.fit(None, background=np.zeros((3, 2))).explain(np.array([[1.0, -2.0]])).tolist()


@pytest.fixture
def install():
    return _install


@pytest.fixture
def fitted():
    return _fitted
