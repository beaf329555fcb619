"""How far a convolution or a pooling reaches beyond its input."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import NodeProto

from edgenet.graph.graph import attributes

__all__ = ["conv_pads"]

SAME = (b"SAME_UPPER", b"SAME_LOWER")


def conv_pads(conv: NodeProto, size: Sequence[int], window: Sequence[int]) -> list[int]:
    """Rows and columns of zeros around an input: top, left, bottom, right; from ``pads`` or ``auto_pad``.

    Args:
        conv: A Conv, or a pooling.
        size: (rows, columns) of its input.
        window: (rows, columns) of its kernel.
    """
    options = attributes(conv)
    rule = options.get("auto_pad", b"NOTSET")
    if rule not in SAME:
        return [0, 0, 0, 0] if rule == b"VALID" else list(options.get("pads", [0, 0, 0, 0]))
    strides, dilations = options.get("strides", [1, 1]), options.get("dilations", [1, 1])
    spans = [step * (side - 1) + 1 for step, side in zip(dilations, window, strict=True)]
    total = [
        max((-(-length // stride) - 1) * stride + span - length, 0)
        for length, stride, span in zip(size, strides, spans, strict=True)
    ]
    before = [(side + SAME.index(rule)) // 2 for side in total]
    return [*before, *(side - first for side, first in zip(total, before, strict=True))]
