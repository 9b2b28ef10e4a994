"""Whether a suite names code that is not this package's."""

from xadbench.datasets.common.paths import is_there
from xadbench.datasets.common.user_code import is_spec
from xadbench.datasets.sources.loading import is_named
from xadbench.evaluation.detectors import DETECTORS
from xadbench.evaluation.explainers import EXPLAINERS

from .controls import CONTROLS, ORACLE
from .spec import Component, Suite, TableSpec


def names_user_code(suite: Suite) -> bool:
    """Whether a suite names a detector, explainer or data set of the user's or of a plug-in.

    Objects do not count: they belong to the process that made them.
    """
    components = (*suite.detectors, *suite.explainers)
    return any(map(_is_users, components)) or any(map(_is_made_by_code, suite.tables))


def _is_users(component: Component) -> bool:
    inner = (value for value in component.params.values() if isinstance(value, str))
    known = {*DETECTORS, *EXPLAINERS, *CONTROLS, ORACLE}
    return not component.mark and (component.name not in known or any(map(is_spec, inner)))


def _is_made_by_code(table: TableSpec) -> bool:
    name = table.dataset
    return name is not None and not is_named(name) and not is_there(name)
