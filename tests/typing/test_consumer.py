"""The public interface as a user's type checker sees it; `tox -e types` checks the wheel alike."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import xadbench

HERE = Path(__file__).parent


def checked(folder, text):
    """What mypy says of a program; what it says of the package itself is another check."""
    pytest.importorskip("mypy")
    (folder / "program.py").write_text(text, encoding="utf-8")
    (folder / "mypy.ini").write_text(
        "[mypy]\nstrict = true\nfollow_imports = silent\nignore_missing_imports = true\n"
    )
    search = os.environ | {"MYPYPATH": str(Path(xadbench.__path__[0]).parent)}
    words = ["--cache-dir", folder / "cache", "program.py"]
    done = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-m", "mypy", *words],
        cwd=folder,
        env=search,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.slow
def test_a_program_that_uses_the_public_interface_is_well_typed(tmp_path):
    program = (HERE / "consumer.py").read_text(encoding="utf-8")
    assert "no issues found" in checked(tmp_path, program)
    wrong = program.replace(
        'assert_type(report(folder / "run"), Path)', 'assert_type(report(folder / "run"), str)'
    )
    assert 'Expression is of type "Path"' in checked(tmp_path, wrong)
