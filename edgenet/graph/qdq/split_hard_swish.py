"""Write int8 hard-swish as an addition and a product, which runtimes have fast kernels for."""

from __future__ import annotations

import math

import numpy as np
from onnx import NodeProto, helper

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.rescale import fraction, quantizer, rescale, scale_of
from edgenet.graph.qparams import INT8, LARGEST_WEIGHT, STEPS

__all__ = ["hard_swish_int8"]

ROOT = math.sqrt(6.0)


def hard_swish_int8(graph: Graph) -> int:
    """Rewrite every HardSwish behind a convolution of a canonical int8 graph, in place.

    With u = x / √6: hard_swish(x) = u * clip(u + 3/√6, 0, √6). Only scales change in the convolution that
    computes u instead of x. The clip is free: the gate's steps from 0 to √6 saturate there. LiteRT has no
    vector kernel for int8 HARD_SWISH and ONNX Runtime computes it in float; both have them for these two.

    The scale of u is p/q of the gate's with q odd (at most half a percent more than was asked for), and the
    constant stands half a q-th off the middle between two steps: no sum comes near a tie, so that every
    runtime rounds it the same way.

    Returns:
        How many were rewritten.
    """
    rewritten = 0
    for swish in [node for node in graph.nodes if node.op_type == "HardSwish"]:
        source = quantizer(graph, swish.input[0])
        if source is None or graph.sole_consumer(swish.input[0]) is not swish:
            continue
        if not all(reader.op_type == "QuantizeLinear" for reader in graph.consumers(swish.output[0])):
            continue
        conv = graph.producer(source.input[0])
        if conv is None or conv.op_type != "Conv" or graph.sole_consumer(source.output[0]) is None:
            continue
        _shrink(graph, conv)
        step = ROOT / STEPS
        top, bottom = fraction(scale_of(graph, source) / ROOT / step)
        rescale(graph, source, step * top / bottom)
        _split(graph, swish, (STEPS / 2 + 1 / (2 * bottom)) * step)
        rewritten += 1
    return rewritten


def _shrink(graph: Graph, conv: NodeProto) -> None:
    """Let a convolution compute its result by √6: the same integers on smaller scales, or floats."""
    for position in (1, 2):
        dequantize = graph.producer(conv.input[position])
        reader, index = (conv, position) if dequantize is None else (dequantize, 1)
        smaller = graph.constants[reader.input[index]] / np.float32(ROOT)
        graph.set_input(reader, index, graph.add_constant(f"{reader.input[index]}/by_root", smaller))


def _split(graph: Graph, swish: NodeProto, offset: float) -> None:
    """HardSwish → Add of a constant → Q/DQ → Mul."""
    source, name = swish.input[0], swish.name or swish.output[0]
    shape = graph.shape(source)
    made = {
        "three": np.full((1, 1, 1, 1), LARGEST_WEIGHT, np.int8),
        "three_scale": np.float32(offset / LARGEST_WEIGHT),
        "three_zero": np.int8(0),
        "gate_scale": np.float32(ROOT / STEPS),
        "gate_zero": np.int8(INT8.min),
    }
    names = {key: graph.add_constant(f"{name}/{key}", np.asarray(value)) for key, value in made.items()}
    gate = [names["gate_scale"], names["gate_zero"]]
    steps = [
        ("DequantizeLinear", [names["three"], names["three_scale"], names["three_zero"]], "three_real"),
        ("Add", [source, f"{name}/three_real"], "raised"),
        ("QuantizeLinear", [f"{name}/raised", *gate], "gate_int8"),
        ("DequantizeLinear", [f"{name}/gate_int8", *gate], "gate"),
    ]
    for kind, inputs, out in steps:
        node = helper.make_node(kind, inputs, [f"{name}/{out}"], name=f"{name}/{out}")
        graph.insert(swish, node, (1, 1, 1, 1) if out == "three_real" else shape)
    product = helper.make_node("Mul", [source, f"{name}/gate"], [swish.output[0]], name=swish.name)
    graph.insert(swish, product, shape)
    graph.remove(swish)
