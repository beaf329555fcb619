"""SSD on MobileNetV1, and SSDLite on V2 and V3, as ONNX graphs for any width and resolution.

Liu et al., "SSD: Single Shot MultiBox Detector", arXiv 1512.02325; SSDLite is section 6.2 of MobileNetV2,
arXiv 1801.04381: every 3x3 convolution of heads and extra maps becomes a depthwise and a pointwise one. Where
the papers are silent the graphs follow TensorFlow's Object Detection API (``research/object_detection``):

* Maps: the last at stride 16 (of V2 and V3 the expansion of the block that goes to stride 32), the last at
  stride 32, then four extra ones, each a 1x1 convolution to half its depth and a 3x3 one of stride 2
  (``models/feature_map_generators.py``).
* Heads: 1x1 convolutions on V1; 3x3 depthwise and 1x1 in SSDLite, apart for scores and boxes
  (``predictors/convolutional_box_predictor.py``).
* Anchors: sizes from 0.2 to 0.95 of the picture, three a cell on the first map, six on the others
  (``anchor_generators/multiple_grid_anchor_generator.py``).
* Box codes: center y and x in tenths, log height and width in fifths of the anchor's
  (``box_coders/faster_rcnn_box_coder.py``).

Names of layers behind the MobileNet's own: ``extra1`` to ``extra4`` with ``reduce`` and ``expand`` (SSDLite:
``depthwise`` and ``expand``), ``head1`` and on with ``scores`` and ``boxes`` (SSDLite: ``scores/depthwise``,
``boxes/depthwise`` before them). Names of their weights: :mod:`edgenet.zoo.network`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx

from edgenet.errors import ModelError
from edgenet.zoo.mobilenet_v1 import features as v1
from edgenet.zoo.mobilenet_v2 import features as v2
from edgenet.zoo.mobilenet_v3 import features as v3
from edgenet.zoo.network import Network

__all__ = ["Cell", "Kind", "Ssd"]

Kind = Literal["v1", "v2", "v3-large", "v3-small", "v3-large-reduced", "v3-small-reduced"]
# Width and height of each anchor of a cell, in fractions of the picture.
Cell = tuple[tuple[float, float], ...]

OPSET = 14
ACTIVATIONS = ("sigmoid", "softmax")
EXTRAS = (512, 256, 256, 128)
MIN_DEPTH = 16
MIN_SCALE, MAX_SCALE, LOWEST = 0.2, 0.95, 0.1
RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)
LARGE, SMALL = ("block13/expand/hswish", "last/hswish"), ("block9/expand/hswish", "last/hswish")
# A network's layers, and the two of its tensors that have heads.
TRUNKS: Mapping[str, tuple[Callable[[Network, float], str], tuple[str, ...]]] = {
    "v1": (v1, ("block11/pointwise/relu6", "block13/pointwise/relu6")),
    "v2": (functools.partial(v2, narrow=True), ("block14/expand/relu6", "last/relu6")),
    "v3-large": (functools.partial(v3, size="large"), LARGE),
    "v3-small": (functools.partial(v3, size="small"), SMALL),
    "v3-large-reduced": (functools.partial(v3, size="large", reduced=True), LARGE),
    "v3-small-reduced": (functools.partial(v3, size="small", reduced=True), SMALL),
}


@dataclass(frozen=True)
class Ssd:
    """A detector.

    Attributes:
        kind: The MobileNet it stands on; "reduced" has half the channels from stride 32 on, as in table 6 of
            the V3 paper.
        alpha: Width multiplier, in (0, 4].
        resolution: Height and width of the input in pixels, 32 to 1024.
        classes: Without the background, which is column 0 of the scores.
        taps: Tensors of the MobileNet with heads, from large to small; the two of the paper without them.
        extras: Depth at width 1 of every map behind the MobileNet.
        cells: Anchors of a cell, for each map; those of the Object Detection API without them.
        activation: What the scores end in, "sigmoid" or "softmax".
    """

    kind: Kind
    alpha: float = 1.0
    resolution: int = 300
    classes: int = 90
    taps: tuple[str, ...] = ()
    extras: tuple[int, ...] = EXTRAS
    cells: tuple[Cell, ...] = ()
    activation: str = "sigmoid"

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight that :meth:`model` takes, in graph order.

        Raises:
            ModelError: As :meth:`model`.
        """
        return self._built()[0].shapes

    def model(self, weights: Mapping[str, np.ndarray] | None = None, seed: int = 0) -> onnx.ModelProto:
        """Build it.

        Args:
            weights: Every array that :meth:`weight_shapes` names, converted to float32. Without it the
                kernels are drawn from ``seed`` and the batch normalizations do nothing.
            seed: Of the drawn kernels; the same seed gives the same bytes.

        Returns:
            A checked model, opset 14, IR 8: ``input`` float32 [1, 3, resolution, resolution] to ``scores``
            float32 [1, anchors, 1 + classes], activated, and ``boxes`` float32 [1, anchors, 4].

        Raises:
            ModelError: A number is out of range, there is no such network, or a weight is missing, unknown or
                of another shape.
        """
        network, _ = self._built()
        return network.model(f"ssd_{self.kind}_{self.alpha:g}_{self.resolution}", weights, seed, OPSET)

    def settings(self) -> dict[str, Any]:
        """What its card says in ``[detection]``, but for thresholds.

        Raises:
            ModelError: As :meth:`model`.
        """
        _, sizes = self._built()
        cells = [[list(anchor) for anchor in cell] for cell in self._cells()]
        return {
            "scores": "scores",
            "boxes": "boxes",
            "score_activation": "none",
            "background": 0,
            "coding": "center-size",
            "order": ["cy", "cx", "height", "width"],
            "variances": [0.1, 0.1, 0.2, 0.2],
            "anchors": {"maps": list(sizes), "cells": cells, "offset": 0.5, "clip": False},
        }

    def _cells(self) -> tuple[Cell, ...]:
        return self.cells or _default_cells(len(self.taps or TRUNKS[self.kind][1]) + len(self.extras))

    def _built(self) -> tuple[Network, tuple[int, ...]]:
        """The whole network, and the side of each map."""
        self._check()
        network, (trunk, taps) = Network(self.resolution), TRUNKS[self.kind]
        source = trunk(network, self.alpha)
        maps = self._tapped(network, self.taps or taps)
        for number, depth in enumerate(self.extras, start=1):
            source = self._extra(network, f"extra{number}", source, max(int(depth * self.alpha), MIN_DEPTH))
            maps.append(source)
        for name, columns, activation in (("scores", 1 + self.classes, self.activation), ("boxes", 4, "")):
            heads = [
                self._head(network, f"head{number}/{name}", tap, columns * len(cell))
                for number, (tap, cell) in enumerate(zip(maps, self._cells(), strict=True), start=1)
            ]
            network.rows(name, heads, columns, activation)
        return network, tuple(network.size(tap) for tap in maps)

    def _check(self) -> None:
        if self.kind not in TRUNKS:
            raise ModelError(f"there is no SSD on {self.kind!r}", f"choose one of {', '.join(TRUNKS)}")
        if self.activation not in ACTIVATIONS:
            raise ModelError(
                f"scores do not end in {self.activation!r}", f"choose {' or '.join(ACTIVATIONS)}"
            )
        if self.classes < 1:
            raise ModelError(f"a detector cannot have {self.classes} classes", "give 1 or more")
        if (maps := len(self.taps or TRUNKS[self.kind][1]) + len(self.extras)) != len(self._cells()):
            raise ModelError(f"{maps} maps and anchors of {len(self._cells())}", "give one cell for each map")

    def _tapped(self, network: Network, taps: tuple[str, ...]) -> list[str]:
        for name in taps:
            if name not in network:
                raise ModelError(f"{self.kind} has no tensor {name!r}", "name outputs of its graph's nodes")
        return list(taps)

    def _extra(self, network: Network, name: str, source: str, depth: int) -> str:
        """A map of half the size."""
        value = network.convolution(f"{name}/reduce", source, max(depth // 2, MIN_DEPTH), activation="relu6")
        if self.kind == "v1":
            return network.convolution(f"{name}/expand", value, depth, 3, 2, activation="relu6")
        value = _filtered(network, f"{name}/depthwise", value, 2)
        return network.convolution(f"{name}/expand", value, depth, activation="relu6")

    def _head(self, network: Network, name: str, source: str, depth: int) -> str:
        if self.kind != "v1":
            source = _filtered(network, f"{name}/depthwise", source, 1)
        return network.dense(name, source, depth)


def _default_cells(maps: int) -> tuple[Cell, ...]:
    """The anchors of the TensorFlow Object Detection API for so many maps, in its order."""
    step = (MAX_SCALE - MIN_SCALE) / max(maps - 1, 1)
    scales = [*(MIN_SCALE + step * index for index in range(maps)), 1.0]
    lowest = (_shape(LOWEST, 1.0), _shape(MIN_SCALE, 2.0), _shape(MIN_SCALE, 0.5))
    between = [_shape(math.sqrt(scales[index] * scales[index + 1]), 1.0) for index in range(maps)]
    others = [
        (*(_shape(scales[index], ratio) for ratio in RATIOS), between[index]) for index in range(1, maps)
    ]
    return (lowest, *others)


def _shape(scale: float, ratio: float) -> tuple[float, float]:
    return scale * math.sqrt(ratio), scale / math.sqrt(ratio)


def _filtered(network: Network, name: str, source: str, stride: int) -> str:
    depth = network.depth(source)
    return network.convolution(name, source, depth, 3, stride, depthwise=True, activation="relu6")
