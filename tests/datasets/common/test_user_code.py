"""Code by name: what is found, what is said where nothing is, and that changed code has another hash."""

import importlib
import sys
from hashlib import sha256
from types import SimpleNamespace

import pytest

from xadbench.datasets.common.errors import InputError
from xadbench.datasets.common.user_code import load_object, short_name, source_hash


@pytest.fixture
def folder(code_folder):
    return code_folder


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    importlib.invalidate_caches()


def test_a_file_is_found_from_the_current_folder_and_by_its_full_path(folder):
    text = "def one():\n    return 1\nclass Two:\n    @staticmethod\n    def two(): ...\n"
    write(folder, {"sub/my-file.py": text})
    found = load_object("sub/my-file.py:one")
    assert found() == 1
    assert load_object(f"{folder}/sub/my-file.py:one") is found
    assert load_object("sub/my-file.py:Two.two") is load_object("sub/my-file.py:Two").two


def test_a_module_is_found_where_python_finds_it_or_in_the_current_folder(folder):
    write(folder, {"beside_me.py": "from helping_me import helped as mine", "helping_me.py": "helped = len"})
    assert load_object("beside_me:mine") is len
    assert load_object("xadbench.datasets.common.user_code:short_name") is short_name
    assert sys.path.count(str(folder)) == 1


def test_a_failed_import_leaves_the_path_and_the_modules_as_they_were(folder):
    write(folder, {"broken_one.py": "1 / 0"})
    before, modules = list(sys.path), set(sys.modules)
    for spec in ("broken_one:x", "broken_one.py:x", "none_such:x"):
        with pytest.raises(InputError):
            load_object(spec)
    assert sys.path == before
    assert not any(name.startswith("broken_one") for name in set(sys.modules) - modules)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("good", r"'good' names no object; expected package\.module:Name or path/to/file\.py:name"),
        ("good:", "'good:' names no object"),
        (":Name", "':Name' names no object"),
        ("my-module:x", "'my-module' is not the name of a module"),
        ("..good:x", "'..good' is not the name of a module"),
        ("none_such.deep:x", "no module 'none_such', neither installed nor in .*"),
        ("good.deep:x", r"no module 'good\.deep'"),
        ("none_such.py:x", r"no file none_such\.py \(the current folder is .*\)"),
        ("folder.py:x", "folder.py cannot be read: Is a directory"),
        ("good:mine", "no 'mine' in good; it has: Mine, other$"),
        ("good.py:mine", "no 'mine' in good.py; it has: Mine, other$"),
        ("good:Mine.deeper", "no 'Mine.deeper' in good; it has: Mine, other$"),
        ("empty:x", "no 'x' in empty; it has: nothing"),
        ("needs:x", "needs: importing it raised ModuleNotFoundError: No module named 'numpie'"),
        ("broken.py:x", r"broken\.py: importing it raised ZeroDivisionError: division by zero"),
        ("wrong.py:x", r"wrong\.py: importing it raised SyntaxError: .*wrong\.py, line 2"),
        ("leaves:x", "leaves: importing it raised SystemExit: 3"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_one_line(folder, spec, message):
    good = "from os import getcwd\nclass Mine: ...\ndef other(): ...\ndef _hidden(): ...\n"
    broken = {"needs.py": "import numpie", "broken.py": "1 / 0", "leaves.py": "raise SystemExit(3)"}
    write(folder, {"good.py": good, "empty.py": "", "wrong.py": "x = 1\nx = = 2", **broken})
    (folder / "folder.py").mkdir()
    with pytest.raises(InputError, match=message) as caught:
        load_object(spec)
    assert "\n" not in str(caught.value)


def test_code_without_a_file_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "typed_in", SimpleNamespace(__name__="typed_in", x=1))
    with pytest.raises(
        InputError, match="typed_in has no file, so a change of its code could not be noticed"
    ):
        load_object("typed_in:x")


def test_a_changed_file_is_run_anew_and_has_another_hash(folder):
    write(folder, {"mine.py": "def f():\n    return 1\n"})
    before = load_object("mine.py:f")
    assert source_hash(before) == sha256((folder / "mine.py").read_bytes()).hexdigest()
    write(folder, {"mine.py": "def f():\n    return 2\n"})
    after = load_object("mine.py:f")
    assert (before(), after()) == (1, 2)
    assert source_hash(after) != source_hash(before)


PACKAGE = {
    "pack/__init__.py": "",
    "pack/inner/__init__.py": "",
    "pack/inner/mine.py": "from elsewhere import Base\nclass Mine(Base): ...\ndef f(): ...\n",
    "pack/core.py": "c = 1\n",
    "elsewhere.py": "class Base: ...\n",
    "reexport.py": "from pack.inner.mine import f\n",
    "asks.py": "import helps.deep as h, numpy\ndef f():\n    import late\n",
    "helps/__init__.py": "",
    "helps/deep.py": "from farther import x\n",
    "helps/template.py": "{{ no python }}\n",
    "farther.py": "x = 1\nimport asks\n",
    "late.py": "",
}


def hash_in(folder, spec, files):
    """Return the hash of an object in a fresh copy of the package with some files changed."""
    sys.path[:] = [path for path in sys.path if not path.startswith(str(folder.parent))]
    for name in [name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in PACKAGE]:
        sys.modules.pop(name, None)
    write(folder, PACKAGE | files)
    return source_hash(load_object(spec))


@pytest.mark.parametrize(
    ("spec", "changed"),
    [
        ("pack.inner.mine:Mine", "pack/core.py"),
        ("pack.inner.mine:Mine", "elsewhere.py"),
        ("pack.inner.mine:f", "pack/inner/mine.py"),
        ("reexport:f", "pack/core.py"),
        ("reexport:f", "reexport.py"),
        ("asks:f", "asks.py"),
        ("asks:f", "helps/deep.py"),
        ("asks:f", "farther.py"),
        ("asks:f", "late.py"),
    ],
)
def test_the_hash_covers_the_package_the_bases_where_it_is_defined_and_what_that_imports(
    folder, spec, changed
):
    before = hash_in(folder, spec, {})
    assert hash_in(folder, spec, {}) == before
    assert hash_in(folder, spec, {changed: PACKAGE[changed] + "# changed\n"}) != before


def test_the_hash_does_not_depend_on_the_place_or_on_how_an_object_is_named(folder, monkeypatch):
    write(folder, {"a/mine.py": "def f(): ...", "b/mine.py": "def f(): ..."})
    hashes = {source_hash(load_object(f"{place}/mine.py:f")) for place in "ab"}
    monkeypatch.chdir(folder / "a")
    assert hashes == {source_hash(load_object("mine:f"))}


def test_the_hash_of_several_files_does_not_depend_on_their_place_either(folder, monkeypatch):
    hashes = set()
    for place in ("a", "b"):
        (folder / place).mkdir()
        monkeypatch.chdir(folder / place)
        hashes.add(hash_in(folder / place, "reexport:f", {}))
    assert len(hashes) == 1


def test_an_object_that_says_to_be_of_a_module_that_is_not_there_has_the_hash_of_its_file(folder):
    text = "class Mine: ...\nMine.__module__ = 'none.such'\n"
    write(folder, {"mine.py": text})
    assert source_hash(load_object("mine.py:Mine")) == sha256(text.encode()).hexdigest()


def test_a_module_that_was_changed_since_its_import_is_refused(folder, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.syspath_prepend(folder)
    write(folder, {"early.py": "from late import g\ndef f(): ...\n", "late.py": "def g(): ...\n"})
    early = importlib.import_module("early")
    write(folder, {"late.py": "def g(): return 1\n"})
    with pytest.raises(InputError, match=r"late\.py was changed since it was imported; restart Python"):
        load_object("early:f")
    assert source_hash(early.f) is None
    write(folder, {"other.py": "def f(): ...\n"})
    importlib.import_module("other")
    write(folder, {"other.py": "def f(): return 1\n"})
    assert load_object("other.py:f")() == 1
    importlib.reload(sys.modules["late"])
    assert source_hash(load_object("early:f"))


def test_what_was_not_loaded_by_name_has_no_hash():
    assert source_hash(test_what_was_not_loaded_by_name_has_no_hash) is None


def test_our_own_code_and_pythons_are_left_out(folder):
    ours = "from xadbench.datasets.common.user_code import short_name"
    text = f"from enum import Enum\n{ours}\nclass E(Enum): ...\n"
    write(folder, {"mine.py": text})
    assert source_hash(load_object("mine.py:E")) == sha256(text.encode()).hexdigest()
