"""The commands by name; the module of one is imported when it is called, since most need torch or SciPy."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

# Of each command what `xadbench --help` says of it. Its module has its name, or that in MODULES.
COMMANDS = {
    "run": "Run a suite, or resume it, and print its leaderboard.",
    "score": "Score an explainer, a detector or a data set of your own.",
    "export": "Write the rows that an explainer outside Python is to explain.",
    "import": "Score attributions that were made elsewhere.",
    "check": "Check an explainer or a detector on toy data.",
    "report": "Write the report of a run.",
    "compare": "Evaluate whether a run is worse than another.",
    "baseline": "Save or show named baselines, to compare runs with.",
    "history": "Plot a score and the time of runs over commits.",
    "generate": "Make a table from a recipe.",
    "inject": "Put anomalies into real normal rows.",
    "audit": "Show whether the ground truth of a table leaks.",
    "release": "Build or verify a published release.",
    "reproduce": "Run an experiment of the paper, or resume it.",
    "list": "List what can be named, with a line on each.",
}
MODULES = {"import": "import_attributions", "list": "catalogue"}


class Commands(Mapping[str, Any]):
    """The commands by name, each imported when it is looked up."""

    def __init__(self) -> None:
        self._imported: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        if name not in self._imported:
            module = import_module(f".{MODULES.get(name, name)}", __package__)
            self._imported[name] = get_command(module.app)
            self._imported[name].name = name
        return self._imported[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class LazyGroup(TyperGroup):
    """A group that imports a command when it is called, and none to list them."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is added to it

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  # as the base class has it
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
