"""Kinds as the published tables have them: one affected set a table, and any change will do."""

from typing import TypeVar

from xadbench.datasets.common.errors import InputError

from .base import AnomalyKind

Kind = TypeVar("Kind", bound=AnomalyKind)


def as_published(kind: Kind, n_features: int | None = None) -> Kind:
    """Return the kind under the paper's protocol: one affected set a table, and any change will do.

    Parameters
    ----------
    kind
        Of any settings; a size of its affected set is kept.
    n_features
        Number of features d, at least 2. With it, a kind without a size gets the published one: from its
        least number up to d//2 - 1, and where there is none between, 1, or 3 for local; at most d.

    Raises
    ------
    InputError
        If the kind asks for an affected set of each row.
    """
    affected = kind.affected
    if n_features and affected.per == "row" and "per" in affected.model_fields_set:
        raise InputError(f"{kind.kind} has per: row; expected per: kind under protocol: published")
    update: dict[str, object] = {"per": "kind"}
    if n_features and affected.size is None and affected.fraction is None:
        least, most = kind.min_affected, n_features // 2 - 1
        few = min(1 if least == 1 else least + 1, n_features)
        update["size"] = (least, most) if least <= most else (few, few)
    return kind.model_copy(update={"affected": affected.model_copy(update=update), "least_change": 0.0})
