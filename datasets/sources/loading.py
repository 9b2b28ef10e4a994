"""One way to name any data set: `bundled:wine`, `adbench:PageBlocks`, a table's folder, a file, or code."""

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from xadbench.datasets.common.errors import BREAKS, InputError, find, one_line
from xadbench.datasets.common.names import did_you_mean
from xadbench.datasets.common.paths import is_there
from xadbench.datasets.common.plugins import Plugins, plugins
from xadbench.datasets.common.user_code import is_spec, load_object
from xadbench.datasets.feature_names import warn_of_names
from xadbench.datasets.table import LabelledTable

from .adbench import adbench_names, adbench_path, find_adbench, load_adbench
from .bundled import BUNDLED, load_bundled

SOURCES: dict[str, Callable[[str], LabelledTable]] = {"adbench": load_adbench, "bundled": load_bundled}


def dataset_plugins() -> Plugins:
    """Return the installed plug-ins that are data sets; imports none."""
    return plugins("xadbench.datasets", SOURCES)


def is_named(name: str) -> bool:
    """Tell whether a data set is one of a source with names of its own: no path, no code."""
    source, colon, _ = name.partition(":")
    return bool(colon) and source in SOURCES


def load_dataset(name: str, label: str | None = None, *, run_code: bool = False) -> LabelledTable:
    """Return the data set of that name.

    Parameters
    ----------
    name
        "bundled:NAME", "adbench:NAME", the path of a folder that `write_table` wrote, or that of a CSV or
        Parquet file (`read_tabular` says what it may hold). With `run_code` also the name of a plug-in, or a
        function of your own, "package.module:name" or "path/to/file.py:name" (see `as_table`).
    label
        The column of labels in a CSV or Parquet file; the other sources know theirs.
    run_code
        Whether the name may be that of code to run: not where it comes from a file that others wrote.

    Raises
    ------
    InputError
        If there is no such source, data set, folder or file, or it does not verify; or if `label` is given
        for a source that is no CSV or Parquet file.

    Warns
    -----
    NoFeatureWarning
        If a column that is taken as a feature is named like labels, or like an id or an index.
    """
    # pandas takes a third of a second to import, and data sets are listed without.
    from xadbench.datasets.files import HEADER, read_table  # noqa: PLC0415
    from xadbench.datasets.tabular import is_tabular, read_tabular  # noqa: PLC0415

    source, _, rest = name.partition(":")
    known = SOURCES[source] if is_named(name) else None
    is_table = known is None and is_there(f"{name}/{HEADER}")
    if known is None and is_tabular(name) and not is_table:
        table = read_tabular(name, label)
        warn_of_names(table.X, table.feature_names, name)
        return table
    if label is not None:
        raise InputError(f"{name!r} has labels of its own; a label column goes with a CSV or Parquet file")
    if known is not None:
        return known(rest)
    if is_table:
        return read_table(name)
    if run_code:
        plugin = dataset_plugins().usable.get(name)
        if plugin is not None:
            return plugin.load(as_table)
        if is_spec(name):
            return as_table(_loaded(name))
    raise InputError(
        f"unknown data set {name!r:.200}{_hint(name)}; expected bundled:NAME, adbench:NAME, the folder of "
        f"a table, or a .csv or .parquet file{', or code: package.module:name' if run_code else ''} "
        "(xadbench list datasets)"
    )


def _hint(name: str) -> str:
    """Return the question that suggests a data set by its name without a source, or by one like it."""
    known = [*(f"bundled:{one}" for one in BUNDLED), *(f"adbench:{one}" for one in adbench_names())]
    bare = [one for one in known if one.partition(":")[2].lower() == name.lower()]
    return did_you_mean(bare[0], bare) if bare else did_you_mean(name, known)


def check_dataset(name: str, label: str | None = None, *, run_code: bool = False) -> None:
    """Find what is wrong with a data set's name without loading it; parameters are those of `load_dataset`.

    A file of ADBench is downloaded, and the user's code imported, but not called.

    Raises
    ------
    InputError
        If there is no such data set, folder or file, or a label column does not go with it.
    """
    from xadbench.datasets.files import HEADER, read_header  # noqa: PLC0415  # as above
    from xadbench.datasets.tabular import is_tabular  # noqa: PLC0415  # as above

    source, _, rest = name.partition(":")
    is_table = not is_named(name) and is_there(f"{name}/{HEADER}")
    if not is_named(name) and is_tabular(name) and not is_table:
        if not is_there(name):
            load_dataset(name, label)  # which says so
        return
    if label is not None or not (is_named(name) or is_table or run_code):
        load_dataset(name, label, run_code=run_code)  # which says what is wrong
    elif source == "bundled" and is_named(name):
        find("bundled data set", rest, BUNDLED)
    elif is_named(name):
        adbench_path(rest)
    elif is_table:
        read_header(Path(name))
    elif name not in dataset_plugins().usable:
        if not is_spec(name):
            load_dataset(name, run_code=run_code)  # as above
        checked_function(_loaded(name))


def size_of(name: str) -> int | None:
    """Return how many values a bundled data set or one of ADBench has; None where loading alone tells."""
    source, _, rest = name.partition(":")
    if source == "bundled" and rest in BUNDLED:
        return BUNDLED[rest].n_rows * BUNDLED[rest].n_features
    entry = find_adbench(rest) if source == "adbench" and is_named(name) else None
    if entry is None or entry.n_samples is None or entry.n_features is None:
        return None
    return entry.n_samples * entry.n_features


def _loaded(name: str) -> Any:
    """Return the object of that name; where there is none, the error says which source may be meant."""
    try:
        return load_object(name)
    except InputError as error:
        source, _, rest = name.partition(":")
        meant = get_close_matches(source, SOURCES, n=1)
        hint = f"; did you mean {meant[0]}:{rest}?" if meant else ""
        raise InputError(f"{error}{hint}") from error


def as_table(function: Any) -> LabelledTable:
    """Return the table that a function of the user's makes.

    Parameters
    ----------
    function
        Called without arguments. Returns a `LabelledTable`; or (X, y) or (X, y, mask) to make one from, where
        `X` may be a DataFrame, whose columns name the features. A `y` or `mask` that is a Series or a
        DataFrame is ordered by its labels.

    Raises
    ------
    InputError
        If it is no function, raises, or returns anything else.
    """
    made_by = checked_function(function)
    name = str(getattr(made_by, "__name__", type(made_by).__name__))
    try:
        made = made_by()
    except BREAKS:
        raise
    except BaseException as error:  # whatever it raises, such as SystemExit
        raise InputError(f"data set {name} raised {one_line(error)}") from error
    if isinstance(made, LabelledTable):
        warn_of_names(made.X, made.feature_names)
        return made
    if not isinstance(made, tuple) or len(made) not in {2, 3}:
        returned = type(made).__name__
        raise InputError(f"data set {name} is {returned}, expected a LabelledTable, (X, y) or (X, y, mask)")
    return _from_parts(name, *made)


def checked_function(function: Any) -> Callable[[], object]:
    """Return what can be called to get a data set; `InputError` for what cannot."""
    if not callable(function):
        raise InputError(
            f"expected a function that returns a data set, not an object of {type(function).__name__}"
        )
    return function  # type: ignore[no-any-return]  # what it returns is checked where it is called


def _from_parts(name: str, X: Any, y: Any, mask: Any = None) -> LabelledTable:
    try:
        return LabelledTable(X=X, y=y, mask=mask, provenance={"source": name})
    except InputError as error:
        raise InputError(f"data set {name}: {error}") from None
