"""The commands by name; the module of one is imported when it is called, since most need torch or SciPy."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from .verbosity import verbosity_options

# Of each command what `xadbench --help` says of it. Its module has its name, or that in MODULES.
COMMANDS = {
    "run": "Run or resume a suite, and print its leaderboard.",
    "score": "Score your own explainer, detector or data set.",
    "export": "Write rows to explain for explainers outside Python.",
    "import": "Score attributions made elsewhere.",
    "check": "Check an explainer or a detector on toy data.",
    "report": "Write the report of a run.",
    "compare": "Check whether a run is worse than another.",
    "baseline": "Save or show named baseline runs.",
    "history": "Plot a score and the time of runs over commits.",
    "generate": "Generate a table from a recipe.",
    "inject": "Inject anomalies into real normal rows.",
    "audit": "Show whether the ground truth of a table leaks.",
    "release": "Build or verify a published release.",
    "reproduce": "Run or resume an experiment of the paper.",
    "list": "List what commands and suites can name.",
}
MODULES = {"import": "import_attributions", "list": "catalogue"}


def _leaves(command: Any) -> Iterator[Any]:
    """Yield a command, or those of a group."""
    inner = getattr(command, "commands", None)
    yield from inner.values() if inner else [command]


class Commands(Mapping[str, Any]):
    """The commands by name, each imported when it is looked up."""

    def __init__(self) -> None:
        self._imported: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        if name not in self._imported:
            module = import_module(f".{MODULES.get(name, name)}", __package__)
            command = get_command(module.app)
            command.name = name
            for one in _leaves(command):
                one.params += verbosity_options()
            self._imported[name] = command
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

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ARG002  # as the base class has it
        """Return the commands and options that begin like this, for the user's shell; imports none."""
        from typer._click.shell_completion import CompletionItem  # noqa: PLC0415  # nothing public is

        options = [name for one in self.params for name in (*one.opts, *one.secondary_opts)]
        known = COMMANDS | dict.fromkeys(options, "") if incomplete.startswith("-") else COMMANDS
        return [
            CompletionItem(name, help=said) for name, said in known.items() if name.startswith(incomplete)
        ]
