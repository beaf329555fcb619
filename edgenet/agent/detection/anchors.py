"""Anchors of a detector: the boxes that its box codes are counted from.

Python 3.6 syntax: this file travels to the board. All are fractions of the network's input. The order is that
of the network's outputs: every map, row by row, the anchors of a cell side by side.
"""

import base64
from typing import Any, List, Mapping, Tuple

import numpy as np

OFFSET = 0.5
# Center x, center y, width, height, as float32 little-endian.
ANCHOR = np.dtype("<f4")
SIDES = 4


def anchors_of(table: Mapping[str, Any]) -> np.ndarray:
    """All anchors: float64 [N, 4] of center x, center y, width, height.

    Args:
        table: ``[detection.anchors]`` of a card, checked: ``values``; or ``maps`` with ``per_cell``, with
            ``cells``, or with ``sizes`` and ``ratios``, beside ``strides`` and others (docs/detection.md).
    """
    if "values" in table:
        return explicit(table["values"])
    maps = maps_of(table)
    offsets = table.get("offset", OFFSET)
    offsets = list(offsets) if isinstance(offsets, (list, tuple)) else [offsets] * len(maps)
    strides = table.get("strides", [None] * len(maps))
    each = zip(maps, cells_of(table), offsets, strides)
    made = np.concatenate([_of_map(side, cell, offset, stride) for side, cell, offset, stride in each])
    return _clipped(made) if table.get("clip") else made


def explicit(values: Any) -> np.ndarray:
    """Anchors that are written out: base64 of little-endian float32 [N, 4], one text or several in a row.

    Raises:
        ValueError: No base64, or not four numbers an anchor.
    """
    texts = [values] if isinstance(values, str) else values
    data = b"".join(base64.b64decode(text.encode("ascii"), validate=True) for text in texts)
    return np.frombuffer(data, ANCHOR).reshape(-1, SIDES).astype(np.float64)


def maps_of(table: Mapping[str, Any]) -> List[Tuple[int, int]]:
    """(rows, columns) of each map; one number is a square."""
    return [(item, item) if isinstance(item, int) else tuple(item) for item in table["maps"]]


def cells_of(table: Mapping[str, Any]) -> List[List[Tuple[float, float]]]:
    """For each map, (width, height) of the anchors that every cell of it has."""
    if "per_cell" in table:
        return [[(1.0, 1.0)] * count for count in table["per_cell"]]
    if "cells" in table:
        return [[(width, height) for width, height in cell] for cell in table["cells"]]
    sizes, ratios = table["sizes"], table["ratios"]
    if not isinstance(ratios[0], (list, tuple)):
        ratios = [ratios] * len(sizes)
    return [_shapes(own, shared) for own, shared in zip(sizes, ratios)]


def count_of(table: Mapping[str, Any]) -> int:
    """How many anchors there are."""
    if "values" in table:
        return len(explicit(table["values"]))
    return sum(rows * columns * len(cell) for (rows, columns), cell in zip(maps_of(table), cells_of(table)))


def _shapes(sizes: Any, ratios: Any) -> List[Tuple[float, float]]:
    """The first size with every ratio of width to height, then each other size as a square (SSD, 2.2)."""
    first = [(sizes[0] * ratio**0.5, sizes[0] / ratio**0.5) for ratio in ratios]
    return first + [(size, size) for size in sizes[1:]]


def _of_map(sides: Tuple[int, int], cell: Any, offset: float, stride: Any) -> np.ndarray:
    """Of one map: centers (number + offset) * stride, where that is the map's own share unless it is told."""
    rows, columns = sides
    made = np.empty((rows, columns, len(cell), SIDES))
    made[..., 0] = ((np.arange(columns) + offset) * (stride or 1.0 / columns))[None, :, None]
    made[..., 1] = ((np.arange(rows) + offset) * (stride or 1.0 / rows))[:, None, None]
    made[..., 2:] = cell
    return made.reshape(-1, SIDES)


def _clipped(anchors: np.ndarray) -> np.ndarray:
    """Cut off what lies outside of the picture, before centers and sizes are taken."""
    low = np.clip(anchors[:, :2] - anchors[:, 2:] / 2, 0.0, 1.0)
    high = np.clip(anchors[:, :2] + anchors[:, 2:] / 2, 0.0, 1.0)
    return np.concatenate([(low + high) / 2, high - low], axis=1)
