"""`xadbench list`: all that can be named, with a line on each."""

from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from xadbench.datasets.common.errors import InputError, find, printable
from xadbench.datasets.common.names import natural_order
from xadbench.datasets.common.plugins import Plugins

from .ending import complain
from .options import completing

app = typer.Typer(add_completion=False, rich_markup_mode=None)
Entries = Iterator[tuple[str, str] | InputError]  # an error: a plug-in that cannot be used, and why


def _plugged(plugins: Plugins) -> Entries:
    """Yield the plug-ins by what their distributions declare: to list one is no leave to run its code."""
    yield from ((one.name, f"plug-in of {one.distribution}: {one.spec}") for one in plugins.usable.values())
    yield from map(InputError, plugins.refused)


def _recipes() -> Entries:
    from xadbench.generator import load_recipe, recipe_names  # noqa: PLC0415  # only where asked for

    for name in recipe_names():
        recipe = load_recipe(name)
        kinds = ", ".join(anomaly.kind for anomaly in recipe.anomalies)
        size = f"{recipe.rows} rows, {recipe.graph.nodes} features, {recipe.graph.edges} edges"
        yield name, f"{size}, {recipe.anomaly_ratio:.0%} anomalies: {kinds}"


def _releases() -> Entries:
    from xadbench.generator import load_release, release_names  # noqa: PLC0415  # as above

    for name in release_names():
        release = load_release(name)
        yield name, f"{release.n_tables} tables, version {release.version}: {release.description}"


def _size(n_rows: int | None, n_features: int | None) -> str:
    known = n_rows is not None and n_features is not None
    return f"{n_rows} rows, {n_features} features" if known else "size known once it is downloaded"


def _datasets() -> Entries:
    from xadbench.datasets.sources.adbench import adbench_names, find_adbench  # noqa: PLC0415  # only where asked for
    from xadbench.datasets.sources.bundled import BUNDLED  # noqa: PLC0415
    from xadbench.datasets.sources.loading import dataset_plugins  # noqa: PLC0415

    for name, entry in BUNDLED.items():
        yield f"bundled:{name}", f"{_size(entry.n_rows, entry.n_features)}: {entry.description}"
    for name in natural_order(adbench_names()):
        file = find_adbench(name)
        yield f"adbench:{name}", _size(file.n_samples, file.n_features)
    yield from _plugged(dataset_plugins())


def _detectors() -> Entries:
    from xadbench.evaluation.detectors import DETECTORS, KIND  # noqa: PLC0415

    yield from ((name, entry.description) for name, entry in DETECTORS.items())
    yield "oracle", "control: likelihood ratio by network and kinds of anomalies; the ceiling"
    yield "network_density", "control: -log p under the network that made the table"
    yield from _plugged(KIND.plugins())


def _explainers() -> Entries:
    from xadbench.evaluation.explainers import EXPLAINERS, KIND  # noqa: PLC0415

    yield from ((name, entry.description) for name, entry in EXPLAINERS.items())
    yield "oracle", "control: Bayes-optimal, knows network and kinds of anomalies; the ceiling"
    yield "oracle_network", "control: knows the network, not the kinds of anomalies"
    yield "network_heuristic", "control: sequential repair by the network that made the table"
    yield "truth", "control: the ground truth itself"
    yield "inverted_truth", "control: all features but those of the ground truth"
    yield from _plugged(KIND.plugins())


def _metrics() -> Entries:
    from xadbench.evaluation.metrics import METRICS  # noqa: PLC0415

    for name, metric in METRICS.items():
        low, high = (f"{end:g}" for end in metric.range)
        direction = "higher" if metric.higher_is_better else "lower"
        yield name, f"{metric.description} ({low} to {high}, {direction} is better)"


def _suites() -> Entries:
    from xadbench.evaluation.suite.spec import load_suite, suite_names  # noqa: PLC0415  # as above

    return ((name, load_suite(name).description) for name in suite_names())


def _experiments() -> Entries:
    from xadbench.evaluation.reproduction.experiments import EXPERIMENTS  # noqa: PLC0415  # as above

    return ((name, experiment.description) for name, experiment in EXPERIMENTS.items())


ABOUT = {
    "recipes": "of simulated tables; used by `generate`, `audit` and suites",
    "releases": "sets of tables to publish; used by `release build`",
    "datasets": "real tables; used by `inject`, `audit` and suites",
    "detectors": "find anomalous rows; used by suites and `score --detector`",
    "explainers": "say which features are responsible; used by suites, `score` and `check`",
    "metrics": "score explainers; used by suites and `compare --metrics`",
    "suites": "grids of tables, detectors, explainers and seeds; used by `run` and `score`",
    "experiments": "tables and figures of the paper; used by `reproduce`",
}
CATALOGUE: dict[str, Callable[[], Entries]] = {
    "recipes": _recipes,
    "releases": _releases,
    "datasets": _datasets,
    "detectors": _detectors,
    "explainers": _explainers,
    "metrics": _metrics,
    "suites": _suites,
    "experiments": _experiments,
}


def _catalogue() -> Entries:
    return ((what, ABOUT[what]) for what in CATALOGUE)


@app.command(name="list", epilog="Example: xadbench list recipes")
def list_(
    what: Annotated[
        str | None,
        typer.Argument(help=f"{', '.join(CATALOGUE)}.", autocompletion=completing(lambda: CATALOGUE)),
    ] = None,
) -> None:
    """List what commands and suites can name. Without an argument: what can be listed."""
    entries = _catalogue() if what is None else find("list", what, CATALOGUE)()
    for entry in entries:
        if isinstance(entry, InputError):
            complain(str(entry))
        else:
            typer.echo(printable("{:<24} {}".format(*entry).rstrip()))
