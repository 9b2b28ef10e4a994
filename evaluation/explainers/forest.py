"""Explainers that read the trees of an isolation forest."""

from abc import ABC, abstractmethod
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from xadbench.datasets.common.arrays import FloatArray
from xadbench.datasets.common.checks import matrix
from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.threads import one_thread
from xadbench.evaluation.components.protocols import Detector, missing

from .shapley import load_shap

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class _Tree(NamedTuple):
    """A tree, with the split that leads to each of its nodes but the root."""

    tree: Any
    features: Any  # the columns that the tree sees, (d',)
    splits: "csr_array"  # (nodes, d): 1 where the node's parent splits on the feature
    isolation: FloatArray  # (nodes,): rows at the parent over rows at the node + 1


class _PathExplainer(ABC):
    """Scores a feature by the mean worth of the splits on it along a row's paths."""

    requires = frozenset({"forest"})
    version = 1

    @one_thread()
    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Take the detector's forest; `InputError` if it has none. The background only gives d."""
        if reason := missing(self, detector):
            raise InputError(reason)
        self._n_features = matrix(background).shape[1]
        self._forest: Any = detector.forest_  # type: ignore[attr-defined]  # not in the protocol
        members = zip(self._forest.estimators_, self._forest.estimators_features_, strict=True)
        self._trees = [_read(member.tree_, features, self._n_features) for member, features in members]
        return self

    @one_thread()
    def explain(self, X: FloatArray) -> FloatArray:
        """Return the attributions (n, d), at least 0, of rows (n, d); 0 for a feature that no path uses."""
        rows = matrix(X, n_columns=self._n_features)
        worth, splits = np.zeros_like(rows), np.zeros_like(rows)
        for tree in self._trees:
            seen = np.ascontiguousarray(rows[:, tree.features], dtype=np.float32)  # as scikit-learn scores
            path = _sparse(tree.tree.decision_path(seen), dtype=np.float64)
            worth += (self._weighted(path, tree) @ tree.splits).toarray()
            splits += (path @ tree.splits).toarray()
        return np.divide(worth, splits, out=worth, where=splits > 0)

    @abstractmethod
    def _weighted(self, path: "csr_array", tree: _Tree) -> "csr_array":
        """Return the worth (n, nodes) of the split that leads to each node of the rows' paths."""


def _sparse(values: Any, **settings: Any) -> "csr_array":
    from scipy.sparse import csr_array  # noqa: PLC0415  # takes a tenth of a second to import

    return csr_array(values, **settings)


def _read(tree: Any, features: Any, n_features: int) -> _Tree:
    inner = np.flatnonzero(tree.children_left >= 0)
    nodes = np.concatenate([tree.children_left[inner], tree.children_right[inner]])
    parents = np.concatenate([inner, inner])
    split_on = np.asarray(features)[tree.feature[parents]]
    splits = _sparse((np.ones(len(nodes)), (nodes, split_on)), shape=(tree.node_count, n_features))
    isolation = np.zeros(tree.node_count)
    isolation[nodes] = tree.n_node_samples[parents] / (tree.n_node_samples[nodes] + 1)
    return _Tree(tree, features, splits, isolation)


class DIFFI(_PathExplainer):
    r"""Explainer of isolation forests by depth (local DIFFI).

    A split on the path of a row that the tree isolates at depth h is worth :math:`1/h - 1/h_{max}`; the
    attributions of a feature is the mean worth of the splits on it, over all trees.

    Notes
    -----
    Source: Carletti, Terzi & Susto 2023, "Interpretable anomaly detection with DIFFI", arXiv 2007.11117.
    :math:`h_{max} = \lceil\log_2 \psi\rceil`, with :math:`\psi` the rows that a tree is grown from.
    """

    def _weighted(self, path: "csr_array", tree: _Tree) -> "csr_array":  # noqa: ARG002  # of the other
        deepest = max(np.ceil(np.log2(self._forest.max_samples_)), 1)
        depth = path.sum(axis=1) - 1
        worth = 1 / np.maximum(depth, 1) - 1 / deepest  # a tree of one node has no split
        return path.multiply(worth[:, None]).tocsr()


class ExIFFI(_PathExplainer):
    r"""Explainer of isolation forests by how unevenly splits divide the rows (ExIFFI).

    A split on a row's path is worth :math:`n / (n' + 1)`: the training rows at the node, over those that go
    the row's way, and 1. The attribution of a feature is the mean worth of the splits on it, over all trees.

    Notes
    -----
    Source: Arcudi et al. 2024, "ExIFFI and EIF+", arXiv 2310.05468, without its weights by depth; an
    isolation forest is the case whose hyperplanes have unit vectors for normals.
    """

    def _weighted(self, path: "csr_array", tree: _Tree) -> "csr_array":
        return path.multiply(tree.isolation[None, :]).tocsr()


class TreeSHAP:
    r"""Explainer of isolation forests by Shapley values of the trees' path lengths.

    A row's values sum to the forest's expected path length minus the row's own mean path length,
    :math:`h(x) = -c \log_2 s(x)`: a short path is anomalous, so the values are shap's, negated.

    Notes
    -----
    Source: Lundberg et al. 2020, through `shap.TreeExplainer`, path-dependent: a feature outside a coalition
    follows both branches, weighed by the training rows that took them. It explains h, not the score s, which
    is a function of h.
    """

    requires = frozenset({"forest"})
    version = 1
    library = "shap"

    @one_thread()
    def fit(self, detector: Detector, background: FloatArray) -> Self:
        """Take the detector's forest; `InputError` if it has none. The background only gives d."""
        if reason := missing(self, detector):
            raise InputError(reason)
        self._n_features = matrix(background).shape[1]
        self._explainer = _tree_explainer(detector.forest_)  # type: ignore[attr-defined]  # as above
        return self

    @one_thread()
    def explain(self, X: FloatArray) -> FloatArray:
        """Return the signed Shapley values (n, d) of rows (n, d); higher shortens the paths."""
        rows = matrix(X, n_columns=self._n_features)
        if not len(rows):
            return rows
        return -np.asarray(self._explainer.shap_values(rows, check_additivity=False), dtype=np.float64)


def _tree_explainer(forest: Any) -> Any:
    padded = copy(forest)  # shap looks up the mark of a leaf, -2, among a tree's columns, before it drops it
    padded.estimators_features_ = [np.resize(f, max(len(f), 2)) for f in forest.estimators_features_]
    return load_shap().TreeExplainer(padded, feature_perturbation="tree_path_dependent")
