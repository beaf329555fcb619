"""Write int8 PRelu and LeakyRelu as a product and a sum, which runtimes have fast and exact kernels for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.graph.graph import Graph, attributes
from edgenet.graph.qdq.rescale import (
    ends_at_six,
    fraction,
    odd_sum,
    quantization_of,
    quantizer,
    rescale,
    scale_of,
)
from edgenet.graph.qparams import INT8, STEPS

__all__ = ["SLOPED", "channel_slopes", "slopes_int8"]

SLOPED = ("LeakyRelu", "PRelu")
LOW, HIGH = int(INT8.min), int(INT8.max)


class _Scales(NamedTuple):
    """Real units a step of the slopes less one, of what is added below zero, and of the result."""

    slopes: float
    added: float
    result: float


def slopes_int8(graph: Graph, node: NodeProto, fixed: set[str]) -> int:
    """Rewrite a PRelu or LeakyRelu with slopes up to 1 of a canonical int8 graph, in place.

    prelu(x) = x + clip((a - 1) x, 0, inf) for a <= 1: the clip is free, because the product's int8 range
    begins at 0 and saturates there. ONNX Runtime has no int8 PRelu, and TFLite's is no vector kernel; both
    have them for these two. Slopes above 1 are taken away before (:mod:`edgenet.graph.passes.bound_slopes`);
    what is left of them stays in float.

    The input keeps its scale. That of what is added is a multiple of a unit of which the result's is an odd
    one, and the slopes' such that the product is a fraction with an odd denominator: neither comes near a
    tie, so that every runtime rounds them the same way, as long as the three scales stay.

    Returns:
        Whether it was rewritten.
    """
    source, result = quantizer(graph, node.input[0]), graph.sole_consumer(node.output[0])
    if source is None or result is None or result.op_type != "QuantizeLinear" or ends_at_six(graph, result):
        return 0
    slopes = channel_slopes(graph, node)
    scales = None if slopes is None or slopes.max() > 1.0 else _scales(graph, source, result, slopes)
    if slopes is None or scales is None:
        return 0
    rescale(graph, result, scales.result)
    _split(graph, node, slopes - 1.0, scales)
    fixed |= {source.output[0], result.output[0]}
    return 1


def channel_slopes(graph: Graph, node: NodeProto) -> NDArray[np.float64] | None:
    """The slopes below zero of a PRelu or LeakyRelu, [1] or [channels].

    ``None`` where they vary over the picture or are computed while the model runs.
    """
    if node.op_type == "LeakyRelu":
        return np.array([attributes(node).get("alpha", 0.01)], np.float64)
    values, shape = graph.constant(node.input[1]), graph.shape(node.input[0])
    if values is None or not np.isfinite(values).all():
        return None
    full = values.reshape((1,) * (len(shape) - values.ndim) + values.shape)
    alike = full.size == 1 or full.shape == (1, shape[1], *[1] * (len(shape) - 2))
    return full.reshape(-1).astype(np.float64) if alike else None


def _scales(
    graph: Graph, source: NodeProto, result: NodeProto, slopes: NDArray[np.float64]
) -> _Scales | None:
    """Scales on which nothing is clipped that was not; ``None`` where there are none near enough."""
    read = quantization_of(graph, source)
    one, steps = read.scale, read.zero_point - LOW
    steepest = float((1.0 - slopes).max())
    if steps == 0 or steepest == 0.0:
        return None  # nothing is below zero, or nothing changes there
    settled = odd_sum(one, steepest * one * steps / STEPS, scale_of(graph, result))
    if settled is None:
        return None
    top, bottom = fraction(steepest / STEPS * one / settled.other)
    return _Scales(settled.other / one * top / bottom, settled.other, settled.result)


def _split(graph: Graph, node: NodeProto, less: NDArray[np.float64], scales: _Scales) -> None:
    """PRelu → Mul by the slopes less one → Q/DQ → Add."""
    source, name = node.input[0], node.name or node.output[0]
    shape = graph.shape(source)
    whole = np.clip(HIGH + np.round(less / scales.slopes), LOW, HIGH).astype(np.int8)
    made: dict[str, Any] = {
        "slopes": whole.reshape(1, -1, *[1] * (len(shape) - 2)),
        "slopes_scale": np.float32(scales.slopes),
        "slopes_zero": np.int8(HIGH),
        "below_scale": np.float32(scales.added),
        "below_zero": np.int8(LOW),
    }
    names = {key: graph.add_constant(f"{name}/{key}", np.asarray(value)) for key, value in made.items()}
    below = [names["below_scale"], names["below_zero"]]
    steps = [
        ("DequantizeLinear", [names["slopes"], names["slopes_scale"], names["slopes_zero"]], "slopes_real"),
        ("Mul", [source, f"{name}/slopes_real"], "product"),
        ("QuantizeLinear", [f"{name}/product", *below], "below_int8"),
        ("DequantizeLinear", [f"{name}/below_int8", *below], "below"),
    ]
    for kind, inputs, out in steps:
        step = helper.make_node(kind, inputs, [f"{name}/{out}"], name=f"{name}/{out}")
        graph.insert(node, step, made["slopes"].shape if out == "slopes_real" else shape)
    total = helper.make_node("Add", [source, f"{name}/below"], [node.output[0]], name=node.name)
    graph.insert(node, total, shape)
    graph.remove(node)
