"""Fixtures that more than one folder of tests uses."""

import os
from pathlib import Path

import numpy as np
import pytest

from xadbench.datasets import LabelledTable

BESIDE_THE_PROJECT = Path(__file__).parents[2] / "shared" / "adbench"


@pytest.fixture(scope="session")
def adbench_folder() -> Path:
    folder = Path(os.environ.get("XADBENCH_ADBENCH_DIR") or BESIDE_THE_PROJECT)
    if not folder.is_dir():
        pytest.skip(f"no ADBench files: {folder} is not a folder (set XADBENCH_ADBENCH_DIR)")
    return folder.resolve()


@pytest.fixture
def table() -> LabelledTable:
    """Six rows of three features; the last two rows are anomalous, with one and two culprits."""
    clean = np.arange(18, dtype=float).reshape(6, 3)
    mask = np.zeros((6, 3), dtype=bool)
    mask[4, 0] = mask[5, 1:] = True
    return LabelledTable(
        X=np.where(mask, clean + 100, clean),
        y=mask.any(axis=1),
        kind=[0, 0, 0, 0, 1, 2],
        kinds=("normal", "additive", "global"),
        mask=mask,
        clean=clean,
        feature_names=("a", "b", "c"),
        provenance={"source": "a test"},
    )


def _located(noise, location):
    """Return pyro's distribution of `noise` plus `location` (n,)."""
    import pyro.distributions as dist  # noqa: PLC0415  # takes seconds, and most tests need none of it

    match noise.family:
        case "uniform":
            return dist.Uniform(location + noise.low, location + (noise.low + noise.width))
        case "normal":
            return dist.Normal(location + noise.mean, noise.std)
        case "exponential":
            own = dist.Exponential(location.new_full(location.shape, 1 / noise.scale))
        case "gamma":
            own = dist.Gamma(location.new_full(location.shape, noise.shape), 1 / noise.scale)
    return dist.TransformedDistribution(own, dist.transforms.AffineTransform(location, 1.0))


@pytest.fixture
def functional_network():
    """A function that builds pgmpy's FunctionalBayesianNetwork, vectorised, of our network for n rows.

    Noise and mechanisms are written anew, in pyro and torch.
    """
    import torch  # noqa: PLC0415  # takes seconds, and most tests need none of it
    from pgmpy import config  # noqa: PLC0415  # as above
    from pgmpy.factors.hybrid import FunctionalCPD  # noqa: PLC0415  # as above
    from pgmpy.models import FunctionalBayesianNetwork  # noqa: PLC0415  # as above

    mechanisms = {
        "linear": lambda x: x,
        "saturating": torch.nn.functional.softsign,
        "absolute": torch.abs,
        "product": torch.mul,
    }

    def conditional(noise, terms, n_rows):
        def distribution(parents):
            location = torch.zeros(n_rows, dtype=torch.float64)
            for term in terms:
                values = (torch.tensor(parents[name].to_numpy()) for name in term.parents)
                location += term.weight * mechanisms[term.function](*values)
            return _located(noise, location)

        return distribution

    def build(network, n_rows):
        model = FunctionalBayesianNetwork()
        model.add_nodes_from(network.nodes)
        model.add_edges_from(network.edges)
        for node, noise in network.noise.items():
            own = conditional(noise, network.terms[node], n_rows)
            model.add_cpds(FunctionalCPD(node, own, list(network.predecessors(node)), vectorized=True))
        return model

    backend = config.get_backend()
    config.set_backend("torch")
    yield build
    config.set_backend(backend)
