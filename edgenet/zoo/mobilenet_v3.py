"""MobileNetV3, large and small, full and "minimalistic", as ONNX graphs for any width and resolution.

Howard et al., "Searching for MobileNetV3", arXiv 1905.02244: the layers are Tables 1 (large) and 2 (small).
Minimalistic models have no squeeze-and-excite, no 5x5 kernels and no hard-swish (TensorFlow's
``slim/nets/mobilenet/README.md``). Where the paper is silent the graph follows slim's ``mobilenet_v3.py``:
depths are multiples of 8, the squeeze is a quarter of the expansion, and the layer before the classifier
keeps its channels below width 1.

Names of layers: ``stem``, ``block1`` and on with ``expand`` (where it widens), ``depthwise``, ``se``
(``pool squeeze excite gate scaled``), ``project`` and ``add`` (where the block keeps size and depth),
``last``, ``head``, ``classifier``. Names of their weights: :mod:`edgenet.zoo.network`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx

from edgenet.errors import ModelError
from edgenet.zoo.network import Network, rounded_depth, width_multiplier

__all__ = ["Size", "features", "mobilenet_v3", "weight_shapes"]

Size = Literal["small", "large"]
OPSET = 14  # the first with HardSwish
STEM_DEPTH = 16
HEAD_DEPTHS = {"large": 1280, "small": 1024}
TAIL = 3  # blocks behind the last downsampling, which begins with the first of them


@dataclass(frozen=True)
class Block:
    """A row of Table 1 or 2 at width 1: kernel, expansion, depth, squeeze-excite, activation, stride."""

    kernel: int
    expanded: int
    depth: int
    squeeze: bool
    activation: str
    stride: int


BLOCKS = {
    "large": (
        Block(3, 16, 16, False, "relu", 1),
        Block(3, 64, 24, False, "relu", 2),
        Block(3, 72, 24, False, "relu", 1),
        Block(5, 72, 40, True, "relu", 2),
        *(Block(5, 120, 40, True, "relu", 1),) * 2,
        Block(3, 240, 80, False, "hswish", 2),
        Block(3, 200, 80, False, "hswish", 1),
        *(Block(3, 184, 80, False, "hswish", 1),) * 2,
        Block(3, 480, 112, True, "hswish", 1),
        Block(3, 672, 112, True, "hswish", 1),
        Block(5, 672, 160, True, "hswish", 2),
        *(Block(5, 960, 160, True, "hswish", 1),) * 2,
    ),
    "small": (
        Block(3, 16, 16, True, "relu", 2),
        Block(3, 72, 24, False, "relu", 2),
        Block(3, 88, 24, False, "relu", 1),
        Block(5, 96, 40, True, "hswish", 2),
        *(Block(5, 240, 40, True, "hswish", 1),) * 2,
        Block(5, 120, 48, True, "hswish", 1),
        Block(5, 144, 48, True, "hswish", 1),
        Block(5, 288, 96, True, "hswish", 2),
        *(Block(5, 576, 96, True, "hswish", 1),) * 2,
    ),
}


def weight_shapes(
    size: Size, alpha: float = 1.0, classes: int = 1000, *, minimalistic: bool = False
) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight :func:`mobilenet_v3` takes, in graph order.

    Raises:
        ModelError: ``size``, ``alpha`` or ``classes`` is out of range.
    """
    return _network(size, alpha, 224, classes, minimalistic).shapes


def mobilenet_v3(
    size: Size,
    alpha: float = 1.0,
    resolution: int = 224,
    classes: int = 1000,
    *,
    minimalistic: bool = False,
    weights: Mapping[str, np.ndarray] | None = None,
    seed: int = 0,
) -> onnx.ModelProto:
    """Build MobileNetV3.

    Args:
        size: "small" or "large".
        alpha: Width multiplier, in (0, 4]; the published ones are 0.75 and 1.0.
        resolution: Height and width of the input in pixels, 32 to 1024.
        classes: Number of logits.
        minimalistic: Without squeeze-and-excite, 5x5 kernels and hard-swish.
        weights: Every array :func:`weight_shapes` names, converted to float32. Without it the
            kernels are drawn from ``seed`` and the batch normalizations do nothing.
        seed: Of the drawn kernels; the same seed gives the same bytes.

    Returns:
        A checked model, opset 14, IR 8: ``input`` float32 [1, 3, resolution, resolution] to
        ``logits`` float32 [1, classes].

    Raises:
        ModelError: A number is out of range, or a weight is missing, unknown or of another shape.
    """
    network = _network(size, alpha, resolution, classes, minimalistic)
    kind = "_minimalistic" if minimalistic else ""
    return network.model(f"mobilenet_v3_{size}{kind}_{alpha:g}_{resolution}", weights, seed, OPSET)


def _network(size: Size, alpha: float, resolution: int, classes: int, minimalistic: bool) -> Network:
    if classes < 1:
        raise ModelError(f"a classifier cannot have {classes} classes", "give 1 or more")
    network = Network(resolution)
    pooled = network.pool("pool", features(network, alpha, size, minimalistic))
    head = rounded_depth(HEAD_DEPTHS[size] * max(alpha, 1.0))
    source = network.dense("head", pooled, head, "relu" if minimalistic else "hswish")
    network.logits(network.dense("classifier", source, classes))
    return network


def features(
    network: Network, alpha: float, size: Size, minimalistic: bool = False, reduced: bool = False
) -> str:
    """Everything before the pooling; returns the last tensor.

    Args:
        network: What is added to.
        alpha: Width multiplier.
        size: "small" or "large".
        minimalistic: As :func:`mobilenet_v3`.
        reduced: Half the channels from the last downsampling on, for detection (section 6.3 of the paper).

    Raises:
        ModelError: ``size`` or ``alpha`` is out of range.
    """
    if size not in BLOCKS:
        raise ModelError(f"there is no MobileNetV3 {size!r}", "choose small or large")
    swish = "relu" if minimalistic else "hswish"
    stem = rounded_depth(STEM_DEPTH * width_multiplier(alpha, "the published ones are 0.75 and 1.0"))
    source = network.convolution("stem", "input", stem, 3, 2, activation=swish)
    narrow, tail = STEM_DEPTH, len(BLOCKS[size]) - TAIL
    blocks = map(_minimal, BLOCKS[size]) if minimalistic else BLOCKS[size]
    for number, block in enumerate(blocks, start=1):
        depth = rounded_depth(block.depth * alpha / (2 if reduced and number > tail else 1))
        source = _block(network, f"block{number}", source, block, block.expanded / narrow, depth)
        narrow = block.depth
    return network.convolution("last", source, rounded_depth(network.depth(source) * 6), activation=swish)


def _minimal(block: Block) -> Block:
    return Block(3, block.expanded, block.depth, False, "relu", block.stride)


def _block(network: Network, name: str, source: str, block: Block, expansion: float, depth: int) -> str:
    """Expand, filter, squeeze and excite, project; added to its input where the shapes are one."""
    narrow = network.depth(source)
    wide, value = rounded_depth(narrow * expansion), source
    if wide != narrow:
        value = network.convolution(f"{name}/expand", value, wide, activation=block.activation)
    value = network.convolution(
        f"{name}/depthwise",
        value,
        wide,
        block.kernel,
        block.stride,
        depthwise=True,
        activation=block.activation,
    )
    if block.squeeze:
        value = network.squeeze_excite(f"{name}/se", value, rounded_depth(wide / 4))
    value = network.convolution(f"{name}/project", value, depth)
    if block.stride == 1 and narrow == depth:
        return network.add(f"{name}/add", source, value)
    return value
