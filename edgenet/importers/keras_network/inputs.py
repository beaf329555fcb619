"""What a network takes: the shape of its pictures, wherever the file tells it."""

from __future__ import annotations

from typing import Any

from edgenet.errors import ModelError
from edgenet.importers.keras_network.architecture import MODELS, Entry, Network, parse_network

__all__ = ["input_shape"]

MAX_DEPTH = 16


def input_shape(network: Network, entry: Entry, size: tuple[int, int], where: str) -> tuple[int, int, int]:
    """Height, width and channels of an input.

    Args:
        network: The outermost model.
        entry: The layer of the input.
        size: Height and width where the file leaves them free.
        where: The file, for messages.

    Raises:
        ModelError: It takes no pictures, or the file does not tell how many channels they have.
    """
    shape = _told(network, entry, where)
    what = f"{where}: layer {entry.name!r} ({entry.kind}) takes {str(shape)[:80]}"
    if not isinstance(shape, list) or len(shape) != 4:
        raise ModelError(
            f"{what}, no pictures [batch, height, width, channels]",
            "give a network that sees pictures: keras.Input((HEIGHT, WIDTH, 3))",
        )
    sides = [free if side is None else side for side, free in zip(shape[1:3], size, strict=True)]
    if not all(type(side) is int and side > 0 for side in (*sides, shape[3])):
        raise ModelError(
            f"{what}, without a number of channels",
            "build the model with keras.Input((HEIGHT, WIDTH, 3)) and save it again",
        )
    return sides[0], sides[1], shape[3]


def _told(network: Network, entry: Entry, where: str) -> Any:
    """The shape with the batch; that of the model within, for a Sequential model that begins with one."""
    shape = _own(entry)
    inner = network.entries[1] if len(network.entries) > 1 else entry
    for _ in range(MAX_DEPTH):
        if shape is not None or inner.kind not in MODELS:
            break
        found = parse_network(inner.kind, inner.config, where)
        first = next(item for item in found.entries if item.name == found.inputs[0].layer)
        shape = _own(first)
        inner = found.entries[1] if len(found.entries) > 1 else first
    return shape


def _own(entry: Entry) -> Any:
    return entry.config.get("batch_input_shape") or entry.config.get("batch_shape")
