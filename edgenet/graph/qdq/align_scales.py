"""Choose scales, within a percent, so that every runtime rounds sums and products the same way.

LiteRT's XNNPACK adds int8 tensors in fixed point and rounds halves up, ONNX Runtime in float and rounds them
to even; where a sum falls near the middle between two steps, the two give different numbers. Here the scales
of an Add are made whole multiples of one unit, with an odd one for the result: (p a + r b) / q with q odd is
never nearer than 1/(2 q) to a middle, far more than either kernel's error. A Mul gets the same by a fraction.
"""

from __future__ import annotations

import math

import numpy as np
from onnx import NodeProto

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.rescale import UNITS, ends_at_six, odd_sum, quantizer, rescale, scale_of
from edgenet.graph.qdq.split_hard_swish import hard_swish_int8
from edgenet.graph.qdq.split_slopes import SLOPED, slopes_int8

__all__ = ["align_scales"]

LARGEST_PRODUCT = 1023  # products are one rounding only, exact to 1e-4 of a step


def align_scales(graph: Graph) -> int:
    """Split hard-swish and PRelu and settle the scales of a canonical int8 graph, in place.

    The result is the same for every backend; scales only grow, so that nothing is clipped that was not.

    Returns:
        How many Add and Mul nodes every runtime now rounds alike.
    """
    hard_swish_int8(graph)
    fixed: set[str] = set()
    settled = 0
    for node in list(graph.nodes):
        if node.op_type in SLOPED:
            settled += 2 * slopes_int8(graph, node, fixed)
        if node.op_type not in ("Add", "Mul"):
            continue
        readers = graph.consumers(node.output[0])
        result = readers[0] if readers and readers[0].op_type == "QuantizeLinear" else None
        inputs = [item for item in (quantizer(graph, name) for name in node.input) if item is not None]
        if result is None or len(inputs) != len(node.input):
            continue
        rewrite = _settle_sum if node.op_type == "Add" else _settle_product
        settled += rewrite(graph, [*inputs, result], fixed)
    return settled


def _settle_sum(graph: Graph, parts: list[NodeProto], fixed: set[str]) -> bool:
    """The input that is fixed, or else the coarser one, keeps its scale; the other two follow."""
    *inputs, result = parts
    first, second = sorted(
        inputs, key=lambda item: (_is_pinned(graph, item, fixed), scale_of(graph, item)), reverse=True
    )
    one, other, out = (scale_of(graph, item) for item in (first, second, result))
    if ends_at_six(graph, result) or (_is_pinned(graph, second, fixed) and first is not second):
        return False
    settled = odd_sum(one, other, out)
    if settled is None:
        return False
    if first is not second:
        rescale(graph, second, settled.other)
    rescale(graph, result, settled.result)
    fixed |= {first.output[0], second.output[0], result.output[0]}
    return True


def _settle_product(graph: Graph, parts: list[NodeProto], fixed: set[str]) -> bool:
    """The result's scale is an odd part of the product of its inputs' scales."""
    one, other, out = (scale_of(graph, item) for item in parts)
    if parts[2].output[0] in fixed or ends_at_six(graph, parts[2]):
        return False
    ratio = out / (one * other)
    top = np.ceil(ratio * UNITS - 1e-9).astype(np.int64)
    top += 1 - top % 2
    best = int(np.argmin(np.where(top <= LARGEST_PRODUCT, top / UNITS, math.inf)))
    if top[best] > LARGEST_PRODUCT:
        return False
    rescale(graph, parts[2], float(one * other * top[best] / UNITS[best]))
    fixed |= {item.output[0] for item in parts}
    return True


def _is_pinned(graph: Graph, quantize: NodeProto, fixed: set[str]) -> bool:
    return quantize.output[0] in fixed or ends_at_six(graph, quantize)
