"""What a graph makes of box codes, by trying it: their coding, order and variances, and the anchors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.detection.anchor_table import MAX_WRITTEN
from edgenet.original.detector.constants import FOLDED, evaluated
from edgenet.original.detector.wiring import Wiring

__all__ = ["Decoding", "read_decoding"]

BOX = 4
MOST_NODES, MOST_CANDIDATES = 400, 16
TRIED = 0.25  # a code that is tried: small enough for limits on sizes
CLOSE = 2e-3
# Corners as x, y, x, y, from one of two orders.
LAYOUTS = ((0, 1, 2, 3), (1, 0, 3, 2))
CENTER_SIZE, CORNER_OFFSET = "center-size", "corner-offset"
MOVED = ("cx", "cy"), ("width", "height"), ("xmin", "ymin"), ("xmax", "ymax")
Values = NDArray[np.float64]


class Decoding(NamedTuple):
    """How a graph decodes boxes.

    Attributes:
        settings: ``coding``, ``order`` and ``variances`` of a card.
        anchors: float64 [N, 4]: center x, center y, width, height, fractions of the picture.
    """

    settings: Mapping[str, Any]
    anchors: Values


def read_decoding(wiring: Wiring, boxes: str, size: tuple[int, int], opset: int) -> Decoding | None:
    """Find what decodes the codes in a tensor, and read it; ``None`` where nothing does that is known.

    The nodes behind the codes are computed with chosen codes: zeros give the anchors, and each column alone
    tells what it moves and how far. What was found is then held to random codes.

    Args:
        wiring: A graph whose constants are folded.
        boxes: The tensor of codes, [1, N, 4].
        size: Height and width of the picture, for boxes in pixels.
        opset: Of the graph.
    """
    shape = wiring.shape(boxes)
    if not shape or shape[-1] != BOX or not 0 < math.prod(shape[:-1]) <= MAX_WRITTEN:
        return None
    chain = _Chain(wiring, boxes, opset)
    for name in chain.candidates()[:MOST_CANDIDATES]:
        run = partial(_run, chain, name, shape)
        found = _read(run, math.prod(shape[:-1]), size)
        if found is not None:
            return found
    return None


class _Chain:
    """The nodes behind a tensor that compute with it and constants alone."""

    def __init__(self, wiring: Wiring, start: str, opset: int) -> None:
        self._wiring, self._start, self._opset = wiring, start, opset
        self._nodes: list[NodeProto] = []
        known = {start}
        for node in wiring.graph.node:
            if len(self._nodes) >= MOST_NODES or known.isdisjoint(node.input) or node.op_type not in FOLDED:
                continue
            if all(name in known or wiring.constant(name) is not None for name in node.input if name):
                self._nodes.append(node)
                known |= set(node.output)

    def candidates(self) -> list[str]:
        """Tensors of as many numbers as there are codes, [N, 4] or [4, N], in their order."""
        count = int(np.prod(self._wiring.shape(self._start) or ()))
        shapes = {name: self._wiring.shape(name) or () for node in self._nodes for name in node.output}
        return [
            name for name, shape in shapes.items() if np.prod(shape) == count and BOX in (shape[0], shape[-1])
        ]

    def run(self, codes: NDArray[np.float32], name: str) -> Values:
        """A tensor [N, 4] for codes.

        Raises:
            ValueError: A node fails.
        """
        held = {self._start: codes}
        for node in self._nodes:
            for item in node.input:
                if item and item not in held:
                    constant = self._wiring.constant(item)
                    assert constant is not None
                    held[item] = constant
            held |= dict(zip(node.output, evaluated(node, self._opset, held), strict=False))
            if name in held:
                break
        made = np.asarray(held[name], np.float64)
        if BOX not in made.shape:
            raise ValueError(f"{name} is {made.shape}")
        return made.reshape(-1, BOX) if made.shape[-1] == BOX else made.reshape(BOX, -1).T


def _run(chain: _Chain, name: str, shape: tuple[int, ...], codes: NDArray[np.float32]) -> Values:
    return chain.run(codes.reshape(shape), name)


def _read(run: Callable[[NDArray[np.float32]], Values], count: int, size: tuple[int, int]) -> Decoding | None:
    zeros = np.zeros((count, BOX), np.float32)
    try:
        still = run(zeros)
        tried = [run(zeros + TRIED * np.eye(BOX, dtype=np.float32)[at]) for at in range(BOX)]
        codes = np.random.default_rng(0).normal(0, TRIED, (count, BOX)).astype(np.float32)
        got = run(codes)
    except ValueError:
        return None
    if any(len(item) != count for item in (still, *tried, got)):  # other than was inferred
        return None
    unit = np.array([size[1], size[0]] * 2) if np.abs(still).max() > BOX else np.ones(BOX)
    for layout in _ordered(still):
        parts = [_corners(item, layout, unit) for item in (still, *tried, got)]
        if not np.isfinite(np.stack(parts)).all() or (parts[0][:, 2:] <= parts[0][:, :2]).any():
            continue
        found = _fitted(parts[0], parts[1:-1])
        if found is not None and np.abs(_decoded(found, codes) - parts[-1]).max() < CLOSE:
            return found
    return None


def _ordered(boxes: Values) -> Sequence[tuple[int, ...]]:
    """The two orders of corners, first that in which anchors go along rows, as maps are read."""
    centers = boxes[:, :2] + boxes[:, 2:]
    changes = [np.flatnonzero(np.abs(np.diff(centers[:, at])) > 1e-6) for at in range(2)]
    first = [int(item[0]) if item.size else len(boxes) for item in changes]
    return LAYOUTS if first[0] <= first[1] else LAYOUTS[::-1]


def _corners(boxes: Values, layout: Sequence[int], unit: Values) -> Values:
    return boxes[:, layout] / unit


def _fitted(anchors: Values, tried: Sequence[Values]) -> Decoding | None:
    """The role and the variance of every column."""
    sizes = anchors[:, 2:] - anchors[:, :2]
    order, variances, kinds = [], [], []
    for boxes in tried:
        moves = (boxes - anchors) / np.tile(sizes, 2)
        role = _role(moves)
        if role is None:
            return None
        order.append(role[0])
        variances.append(role[1] / TRIED)
        kinds.append(role[2])
    if len(set(kinds)) > 1 or len(set(order)) < BOX:
        return None
    told = [float(f"{value:.4g}") for value in variances]  # 0.1999998 is 0.2
    settings = {"coding": kinds[0], "order": order, "variances": told}
    return Decoding(settings, np.concatenate([(anchors[:, :2] + anchors[:, 2:]) / 2, sizes], axis=1))


def _role(moves: Values) -> tuple[str, float, str] | None:
    """What a column moves, by how much of a width or height, and in which coding."""
    typical = np.median(moves, axis=0)
    if np.abs(moves - typical).max() > CLOSE:
        return None
    moved = np.flatnonzero(np.abs(typical) > CLOSE / 10)
    if len(moved) == 1:
        at = int(moved[0])
        return MOVED[2 + at // 2][at % 2], float(typical[at]), CORNER_OFFSET
    if len(moved) != 2 or moved[1] - moved[0] != 2:
        return None
    axis, low, high = int(moved[0]), float(typical[moved[0]]), float(typical[moved[1]])
    if np.isclose(low, high, atol=CLOSE):
        return MOVED[0][axis], low, CENTER_SIZE
    if np.isclose(low, -high, atol=CLOSE):
        return MOVED[1][axis], float(np.log1p(2 * high)), CENTER_SIZE
    return None


def _decoded(found: Decoding, codes: NDArray[np.float32]) -> Values:
    """Corners by the coding that was found."""
    center, size = found.anchors[:, :2], found.anchors[:, 2:]
    moved = codes.astype(np.float64) * np.array(found.settings["variances"])
    own = {name: moved[:, at] for at, name in enumerate(found.settings["order"])}
    if found.settings["coding"] == CORNER_OFFSET:
        low = np.stack([own["xmin"], own["ymin"]], axis=1) * size
        high = np.stack([own["xmax"], own["ymax"]], axis=1) * size
        return np.concatenate([center - size / 2 + low, center + size / 2 + high], axis=1)
    center = center + np.stack([own["cx"], own["cy"]], axis=1) * size
    half = size * np.exp(np.stack([own["width"], own["height"]], axis=1)) / 2
    return np.concatenate([center - half, center + half], axis=1)
