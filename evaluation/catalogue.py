"""What `xadbench list` shows: all that can be named, with a line on each."""

from collections.abc import Callable, Iterator

from xadbench.evaluation.suite import load_suite, suite_names

Entries = Iterator[tuple[str, str]]


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


def _datasets() -> Entries:
    from xadbench.datasets.adbench import adbench_names  # noqa: PLC0415  # scikit-learn and pooch
    from xadbench.datasets.bundled import BUNDLED  # noqa: PLC0415

    for name, entry in BUNDLED.items():
        yield f"bundled:{name}", entry.description
    for name in adbench_names():
        yield f"adbench:{name}", ""


def _detectors() -> Entries:
    from xadbench.evaluation.detectors import DETECTORS  # noqa: PLC0415

    yield from ((name, entry.description) for name, entry in DETECTORS.items())
    yield "oracle", "control: -log p under the network that made the table, the best there can be"


def _explainers() -> Entries:
    from xadbench.evaluation.explainers import EXPLAINERS  # noqa: PLC0415

    yield from ((name, entry.description) for name, entry in EXPLAINERS.items())
    yield "oracle", "control: sequential repair by the network that made the table"
    yield "truth", "control: the culprits themselves"
    yield "inverted_truth", "control: all features but the culprits"


def _metrics() -> Entries:
    from xadbench.evaluation.metrics import METRICS  # noqa: PLC0415

    for name, metric in METRICS.items():
        low, high = (f"{end:g}" for end in metric.range)
        direction = "higher" if metric.higher_is_better else "lower"
        yield name, f"{metric.description} ({low} to {high}, {direction} is better)"


def _suites() -> Entries:
    return ((name, load_suite(name).description) for name in suite_names())


def _experiments() -> Entries:
    from xadbench.evaluation.paper.experiments import EXPERIMENTS  # noqa: PLC0415  # as above

    return ((name, experiment.description) for name, experiment in EXPERIMENTS.items())


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
