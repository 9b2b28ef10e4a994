"""Networks as canonical JSON, which identifies them."""

import json

from .additive import AdditiveNoiseNetwork

FORMAT = "xadbench-network-1"


def to_json(network: AdditiveNoiseNetwork) -> str:
    """Return the network as canonical JSON: equal networks give equal text.

    The order of the nodes is that of the columns; floats are given to the bit.
    """
    nodes = [
        {
            "name": name,
            "noise": noise.model_dump(mode="json"),
            "terms": [term.model_dump(mode="json") for term in network.terms[name]],
        }
        for name, noise in network.noise.items()
    ]
    return json.dumps({"format": FORMAT, "nodes": nodes}, sort_keys=True, separators=(",", ":"))
