"""The user's own code by name, `package.module:Name` or `path/to/file.py:name`, and its source's hash."""

import ast
import importlib
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import BREAKS, InputError, one_line
from .process_state import preserved

EXPECTED = "expected package.module:Name or path/to/file.py:name"
INSTALLED = frozenset({"site-packages", "dist-packages"})
OURS = __name__.partition(".")[0]
VERSIONED = {OURS, "pyod"}  # their components tell their code by their `version`, whatever name they go by
# What runs code that its file does not name: functions, wherever they are from, and two of Python's own.
DYNAMIC = frozenset(
    {"import_module", "__import__", "spec_from_file_location", "exec_module", "run_path", "run_module"}
)
EVALUATING = frozenset({"exec", "eval"})
# Kept with its hash, so that no other object gets its id, and the files whose imports cannot be known.
_Loaded = tuple[object, str, tuple[str, ...]]
_HASHES: dict[int, _Loaded] = {}


def is_spec(name: str) -> bool:
    """Whether a name is that of an object in a module or file, and none of a registry."""
    return ":" in name


def short_name(name: str) -> str:
    """Return the object's own name where `name` says its module or file too.

    Examples
    --------
    >>> from xadbench.datasets.common.user_code import short_name
    >>> short_name("my_package.my_module:MyExplainer"), short_name("z_score")
    ('MyExplainer', 'z_score')
    """
    return name.rpartition(":")[2]


def object_name(given: object) -> str:
    """Return a name for an object: the module and name of a class or function, or of an object's class.

    Examples
    --------
    >>> from xadbench.datasets.common.user_code import object_name, short_name
    >>> object_name(short_name)
    'xadbench.datasets.common.user_code:short_name'
    """
    named = given if hasattr(given, "__name__") else type(given)
    return f"{getattr(named, '__module__', None) or 'builtins'}:{named.__name__}"


def load_object(spec: str) -> Any:
    """Import the object that `spec` names.

    Parameters
    ----------
    spec
        "package.module:Name", of a module that Python finds or that lies in the current folder; or
        "path/to/file.py:name", a relative path starting from the current folder. A changed file is run again;
        it can import what Python finds, but not its neighbours: name it as a module for that.

    Raises
    ------
    InputError
        If there is no such module, file or name, or importing it raised; the message says which, and what
        names there are. If a module's file was changed since it was imported, as far as Python can tell.

    Examples
    --------
    >>> from xadbench.datasets.common.user_code import load_object
    >>> load_object("xadbench.datasets.common.user_code:short_name")("a:b")
    'b'
    """
    place, _, name = spec.rpartition(":")
    if not place or not name:
        raise InputError(f"{spec!r} names no object; {EXPECTED}")
    with preserved():  # else its first trial would have what the module sets, and no later one
        module = _run_file(place) if place.endswith(".py") else _import(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise InputError(f"no {name!r} in {place}; it has: {', '.join(_names(module)) or 'nothing'}")
        found = getattr(found, part)
    if id(found) not in _HASHES and _owner(module, found) not in VERSIONED:
        files = _files(module, found)
        untraced = tuple(sorted(name for name, path in files.items() if _is_untraced(path)))
        _HASHES[id(found)] = found, _hash(module, files), untraced
    return found


def _owner(module: ModuleType, found: object) -> str:
    """Return the outermost package of an object, which the module may only pass on."""
    return (getattr(found, "__module__", None) or module.__name__).partition(".")[0]


def source_hash(loaded: object) -> str | None:
    """Return the SHA-256 of the source of a user's object that `load_object` loaded; None of any other.

    The source is the file of its module, or all of the package that the module is part of, and the files of
    the classes that it inherits from; of code that is not installed also what it imports that is not.
    Python's own and this package's are left out.
    """
    return _HASHES[id(loaded)][1] if id(loaded) in _HASHES else None


def untraced_files(loaded: object) -> tuple[str, ...]:
    """Return the files of a user's object that run code by a name known only at run time.

    `importlib.import_module("helper")` is traced as `import helper` is; with anything but a text, the hash of
    the source does not tell whether what is imported has changed.
    """
    return _HASHES[id(loaded)][2] if id(loaded) in _HASHES else ()


def _names(module: ModuleType) -> list[str]:
    """Return the public functions and classes that a module defines."""
    public = ((name, value) for name, value in vars(module).items() if not name.startswith("_"))
    return sorted(name for name, value in public if getattr(value, "__module__", "") == module.__name__)


def _import(name: str) -> ModuleType:
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise InputError(f"{name!r} is not the name of a module; {EXPECTED}")
    importlib.invalidate_caches()  # it may have been written just now
    if parts[0] not in sys.modules and find_spec(parts[0]) is None:
        return _import_from_here(name)
    return _imported(name)


def _import_from_here(name: str) -> ModuleType:
    """Import a module of the current folder, which stays on the path behind all else, for what it imports."""
    here = str(Path.cwd())
    sys.path.append(here)
    try:
        return _imported(name)
    except InputError:
        sys.path.remove(here)
        raise


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise InputError(f"no module {error.name!r}, neither installed nor in {Path.cwd()}") from None
        raise _failed(name, error) from error
    except BREAKS:
        raise
    except BaseException as error:  # whatever a module raises, as pytest's skip does
        raise _failed(name, error) from error


def _failed(what: str, error: BaseException) -> InputError:
    return InputError(f"{what}: importing it raised {one_line(error)}")


def _run_file(place: str) -> ModuleType:
    """Return the module of a file: under a name that no other file has, nor this one once it is changed."""
    path = Path(place).absolute()
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"no file {place} (the current folder is {Path.cwd()})") from None
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error.strerror}") from None
    name = f"{path.stem}_{sha256(str(path).encode() + source).hexdigest()[:16]}"
    return sys.modules.get(name) or _run(name, path, source)


def _run(name: str, path: Path, source: bytes) -> ModuleType:
    spec = spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101  # it ends in .py
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses, among others, look there
    try:
        exec(compile(source, path, "exec"), vars(module))  # noqa: S102  # the user names it to be run
    except BaseException as error:  # whatever a file raises
        del sys.modules[name]
        if isinstance(error, BREAKS):
            raise
        raise _failed(str(path), error) from error
    return module


def _hash(module: ModuleType, files: dict[str, Path]) -> str:
    """Return the hash of the one file, as `sha256sum` has it, or of what `sha256sum` says of several."""
    _check_unchanged(frozenset(files.values()))
    try:
        hashes = {name: sha256(path.read_bytes()).hexdigest() for name, path in sorted(files.items())}
    except OSError as error:
        raise InputError(f"{module.__name__}: its source cannot be read: {error}") from None
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    return sha256("".join(f"{digest}  {name}\n" for name, digest in hashes.items()).encode()).hexdigest()


def _check_unchanged(files: frozenset[Path]) -> None:
    """Raise `InputError` if one was changed since its import: what runs is not what its hash would tell."""
    imported, run = dict[Path, ModuleSpec](), set[Path]()
    for module in tuple(sys.modules.values()):
        spec: ModuleSpec | None = getattr(module, "__spec__", None)
        path = Path((spec and spec.origin) or "")
        if spec is None or path not in files or type(spec.loader) is not SourceFileLoader:
            continue
        if spec.name.rpartition(".")[2] in {path.stem, path.parent.name}:
            imported[path] = spec
        else:
            run.add(path)  # by `_run`, whose names are others
    for path in sorted(imported.keys() - run):
        if not _is_installed(path) and _is_outdated(imported[path], path):
            raise InputError(
                f"{path} was changed since it was imported; restart Python, or name the file, "
                f"{path.name}:NAME, which is run again where it was changed"
            )


def _is_outdated(spec: ModuleSpec, path: Path) -> bool:
    """Whether Python's cache says that another state of the file was imported; False where it is not kept."""
    cached = Path(spec.cached or "")
    if sys.dont_write_bytecode or not os.access(cached.parent, os.W_OK):
        return False
    try:
        with cached.open("rb") as file:
            flags, *imported = struct.unpack("<4xIII", file.read(16))
    except (OSError, struct.error):
        return False
    now = path.stat()
    return flags == 0 and imported != [int(now.st_mtime) & 0xFFFFFFFF, now.st_size & 0xFFFFFFFF]


def _files(module: ModuleType, found: object) -> dict[str, Path]:
    """Return the files that an object's behaviour lies in, by names that do not depend on where they lie."""
    own = {module.__name__, getattr(found, "__module__", None) or module.__name__} & sys.modules.keys()
    bases = {base.__module__ for base in getattr(found, "__mro__", ())} & sys.modules.keys() - own
    files = {name: _file(name) for name in _foreign(bases)}
    waiting = [_root(name) for name in _foreign(own)]
    while waiting:
        new = {name: path for name, path in _with_package(waiting.pop()) if name not in files}
        files |= new
        waiting += [root for path in new.values() for root in _imported_by(path)]
    return files


def _with_package(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the file of a module, or all of a package's."""
    is_package = root.name == "__init__.py"
    files = root.parent.rglob("*.py") if is_package else [root]
    above = root.parents[1] if is_package else root.parent
    return ((path.relative_to(above).as_posix(), path) for path in files)


def _imported_by(path: Path) -> Iterator[Path]:
    """Yield the roots of what a file imports, be it in a function, as far as neither is installed."""
    nodes = _nodes(path)
    for name in _foreign(sorted({name.partition(".")[0] for node in nodes for name in _imports(node)})):
        try:
            spec = find_spec(name)
        except ValueError:  # a module that was made by hand
            continue
        origin = Path((spec and spec.origin) or "")
        if origin.suffix == ".py" and not _is_installed(origin):
            yield origin


def _nodes(path: Path) -> list[ast.AST]:
    """Return the parts of a file's source; none of one that is installed."""
    if _is_installed(path):
        return []
    try:
        return list(ast.walk(ast.parse(path.read_bytes())))
    except (OSError, SyntaxError, ValueError):  # not what was imported, but beside it
        return []


def _is_untraced(path: Path) -> bool:
    """Whether a file runs code by a name that is not written there as a text."""
    return any(_is_dynamic(node) and not _imports(node) for node in _nodes(path))


def _is_dynamic(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):  # under another name, its calls are not found
        return any(one.name in DYNAMIC and one.asname for one in node.names)
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in DYNAMIC | EVALUATING
    return isinstance(node.func, ast.Attribute) and node.func.attr in DYNAMIC


def _imports(node: ast.AST) -> list[str]:
    """Return the modules that a statement, or a call with a text, imports from outside its own package."""
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        first = node.args[0] if node.args else None
        if called not in {"import_module", "__import__"} or not isinstance(first, ast.Constant):
            return []
        return [first.value] if isinstance(first.value, str) and first.value[:1] != "." else []
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def _is_installed(path: Path) -> bool:
    return not INSTALLED.isdisjoint(path.parts)


def _foreign(modules: Iterable[str]) -> Iterator[str]:
    skipped = {OURS, *sys.stdlib_module_names}
    return (name for name in modules if name.partition(".")[0] not in skipped)


def _root(name: str) -> Path:
    """Return the file of the outermost package that a module is part of, or its own."""
    parts = name.split(".")
    outer = (".".join(parts[: i + 1]) for i in range(len(parts)))
    return _file(next((one for one in outer if getattr(sys.modules[one], "__file__", None)), name))


def _file(name: str) -> Path:
    file = getattr(sys.modules[name], "__file__", None)
    if file is None:
        raise InputError(f"{name} has no file, so a change of its code could not be noticed")
    return Path(file)
