"""A file in any form → what it is, what is inside, and on which backends it would run; no card is needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.backend import backend_names
from edgenet.card import read_card
from edgenet.drift import CLASSIFICATION
from edgenet.errors import EdgenetError, ModelError
from edgenet.graph.cost import cost
from edgenet.graph.inside import ending_inside, input_range, normalization_inside
from edgenet.library import names
from edgenet.model import Model
from edgenet.network import Network
from edgenet.quantize.quantized import Quantized
from edgenet.steps.first_draft import own_task
from edgenet.steps.plan import Option, options
from edgenet.steps.source import read_source
from edgenet.target import Target
from edgenet.task import load_task

__all__ = ["Inspected", "inspect_model"]


@dataclass(frozen=True)
class Inspected:
    """What a model's file is.

    Attributes:
        network: What the file says by itself.
        model: The model with its card; ``None`` without one that can be read.
        card: What is the matter with its card; empty where it is there and read.
        builds: For each backend and precision whether some board that edgenet knows takes it, and why not.
        next: What to do now, a command.
    """

    network: Network
    model: Model | None
    card: str
    builds: tuple[Option, ...]
    next: str

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        network, model = self.network, self.model
        total = _cost(network)
        return {
            "name": network.path.stem,
            "digest": network.digest,
            "classes": network.values,
            "parameters": total[0],
            "multiply_adds": total[1],
            "preprocessing": model.preprocessing.to_table() if model else None,
            "card": self.card or None,
            "form": network.form,
            **network.facts,
            "precision": "int8" if network.quantized else "fp32",
            "layout": "NHWC" if network.nhwc else "NCHW",
            "size": None if network.free else list(network.size),
            "inside": _inside(network),
            "operators": dict(Counter(node.op_type for node in network.proto.graph.node).most_common()),
            "builds": [
                {
                    "backend": item.backend,
                    "precision": item.precision,
                    "possible": item.possible,
                    "why": item.why,
                }
                for item in self.builds
            ],
            "notes": list(network.notes),
            "next": self.next,
        }


def inspect_model(path: Path) -> Inspected | Quantized:
    """Read a model's file in any form, with the card beside it or without.

    Raises:
        ModelError: It cannot be read.
    """
    network = None
    try:
        network = Network.read(path)
        beside = path.with_suffix(".toml")
        if not beside.exists():
            return _inspected(network, None, f"none ({beside.name} is not there)")
        read_card(beside)
    except ModelError as error:
        if network is not None:
            return _inspected(network, None, error.what)
        raise
    found = read_source(path)
    return found if isinstance(found, Quantized) else _inspected(network, found, "")


def _inspected(network: Network, model: Model | None, card: str) -> Inspected:
    builds = _builds(network, model)
    if not any(item.possible for item in builds):
        then = ""
    elif model is None:
        then = (
            f"edgenet init {network.path}"
            if "none (" in card
            else f"answer the questions of its card: {card}"
        )
    else:
        then = f"edgenet compile {network.path} --target T --calibration DIR"
    return Inspected(network, model, card, builds, then)
