"""A saved model as its container gives it: the architecture, and where the weights of each layer lie."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import ModelError
from edgenet.importers.keras_network.architecture import AGAIN, Entry
from edgenet.importers.keras_network.hdf5 import Hdf5
from edgenet.text import cause

__all__ = ["MAX_TEXT", "Saved", "WeightScope", "parse_json"]

Array = NDArray[np.float32]
MAX_TEXT = 16 << 20
MAX_DEPTH = 100


class WeightScope(ABC):
    """Where the weights of one layer lie, or those of a model's layers.

    Args:
        file: What they lie in.
    """

    def __init__(self, file: Hdf5) -> None:
        self.file = file

    @abstractmethod
    def layers(self, entries: Sequence[Entry]) -> Sequence[WeightScope]:
        """The scopes of a model's layers, one each, in their order."""

    @abstractmethod
    def paths(self) -> Sequence[str]:
        """Where the variables of a layer lie, in the order in which Keras makes them."""

    def arrays(self, wanted: Mapping[str, tuple[int, ...] | None], layer: str) -> dict[str, Array]:
        """The arrays of one layer.

        Args:
            wanted: Name and shape of each variable, in the order in which Keras makes them; ``None`` for one
                that is there and not asked for.
            layer: For messages.

        Returns:
            float32, by name.

        Raises:
            ModelError: One is missing, of another shape, or no real numbers.
        """
        paths = self.paths()
        if len(paths) != len(wanted):
            raise ModelError(f"{layer} has {len(paths)} weights in the file, not {len(wanted)}", AGAIN)
        found = {}
        for (name, shape), path in zip(wanted.items(), paths, strict=True):
            if shape is None:
                continue
            if (stored := self.file.shape(path)) != shape:
                raise ModelError(f"{layer}: {name} is {_text(stored)}, not {_text(shape)}", AGAIN)
            found[name] = self.file.array(path)
        return found


def _text(shape: tuple[int, ...] | None) -> str:
    return "not there" if shape is None else "x".join(map(str, shape)) or "one number"


@dataclass(frozen=True)
class Saved:
    """One file.

    Attributes:
        where: Its path, for messages.
        name: The file's stem.
        architecture: ``{"class_name", "config"}`` of the model, not checked yet.
        keras: Major version of the Keras that wrote it.
        weights: Those of the whole model.
    """

    where: str
    name: str
    architecture: Mapping[str, Any]
    keras: int
    weights: WeightScope


def parse_json(text: str | bytes, where: str, what: str) -> Mapping[str, Any]:
    """A JSON object of bounded length and depth, so that whoever walks it may do so by recursion.

    Raises:
        ModelError: It is none.
    """
    try:
        if len(text) > MAX_TEXT:
            raise ValueError(f"more than {MAX_TEXT >> 20} MiB")
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("no object")
        if _is_deeper(found, MAX_DEPTH):
            raise ValueError(f"more than {MAX_DEPTH} deep")
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where}: {what} is damaged ({cause(error)})", AGAIN) from None
    return found


def _is_deeper(tree: Any, most: int) -> bool:
    """Whether a JSON value is nested deeper than so many levels."""
    level = [tree]
    for _ in range(most):
        level = [
            item
            for node in level
            if isinstance(node, dict | list)
            for item in (node.values() if isinstance(node, dict) else node)
        ]
    return bool(level)
