"""Check the types of the modules named on the command line: for pre-commit, those that a commit changes.

The root is the package, whatever the clone is called: mypy sees it as `xadbench`, by a link.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(paths: list[str]) -> int:
    """Run mypy on the modules and return its exit code."""
    above = ROOT / ".mypy_cache" / "as_installed"
    above.mkdir(parents=True, exist_ok=True)
    link = above / "xadbench"
    if not link.exists():
        link.symlink_to(ROOT, target_is_directory=True)
    modules = [module for path in paths for module in ("--module", _module(Path(path)))]
    settings = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    command = [sys.executable, "-m", "mypy", *settings, *modules]
    env = os.environ | {"MYPYPATH": str(above)}
    return subprocess.run(command, cwd=above, env=env, check=False).returncode  # noqa: S603  # no shell


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(["xadbench", *(part for part in parts if part != "__init__")])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
