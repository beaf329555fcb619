"""Every int8 convolution of a user's graph gets an int32 bias on the scale of its products."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.errors import UnsupportedError
from edgenet.graph.given.parameters import Whole, real_values, whole_constant, write_constant
from edgenet.graph.graph import Graph

__all__ = ["whole_biases"]

CLOSE = 1e-5  # float32 scales whose product was rounded elsewhere
LARGEST = 2**31 - 1


def whole_biases(graph: Graph) -> int:
    """Write biases as int32 with the scale input x weights, in place.

    One that is that already keeps its numbers; a float one is rounded to the accumulator's own steps, which
    are far finer than those of the result.

    Returns:
        How many convolutions there are whose input and weights are whole.

    Raises:
        UnsupportedError: A kernel is computed while the model runs, or a bias is beyond int32.
    """
    whole = 0
    for conv in [node for node in graph.nodes if node.op_type == "Conv"]:
        source, kernel = graph.producer(conv.input[0]), whole_constant(graph, conv.input[1])
        if kernel is None and conv.input[1] not in graph.constants:
            raise UnsupportedError(
                f"Conv {conv.name or conv.output[0]!r} computes its kernel while it runs",
                "export it with constant weights",
            )
        if kernel is None or kernel.axis or source is None or source.op_type != "DequantizeLinear":
            continue
        _settle(graph, conv, kernel, np.float32(graph.constants[source.input[1]]))
        whole += 1
    return whole


def _settle(graph: Graph, conv: NodeProto, kernel: Whole, step: np.float32) -> None:
    scales = np.asarray(kernel.scales * step, np.float32)
    given = whole_constant(graph, conv.input[2]) if len(conv.input) > 2 and conv.input[2] else None
    if given is not None and given.values.dtype == np.int32 and _same(given.scales, scales):
        values = given.values
    else:
        values, scales = _rounded(graph, conv, kernel, scales, step)
    name = graph.fresh(f"{conv.output[0]}/bias")
    bias = helper.make_node("DequantizeLinear", [conv.input[1]], [name], name=name)
    graph.insert(conv, bias)
    write_constant(graph, bias, Whole(values, scales, np.zeros(scales.shape, np.int32), 0))
    graph.set_inputs(conv, [*conv.input[:2], name])


def _rounded(
    graph: Graph, conv: NodeProto, kernel: Whole, scales: NDArray[np.float32], step: np.float32
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The bias in integers; a channel without weights may have any scale, so that its bias fits."""
    outputs = len(kernel.values)
    real: NDArray[np.float32] | None = np.zeros(outputs, np.float32)
    if len(conv.input) > 2 and conv.input[2]:
        real = real_values(graph, conv.input[2])
    if real is None or real.shape != (outputs,) or not np.all(np.isfinite(real)):
        raise _refuse(conv, "its bias is not a constant number an output", "export it with constant weights")
    steps = np.rint(real.astype(np.float64) / scales)
    beyond = np.abs(steps) > LARGEST
    if not np.any(beyond):
        return steps.astype(np.int32), scales
    if not kernel.scales.ndim or not kernel.symmetric or np.any(kernel.values[beyond]):
        raise _refuse(
            conv, "its bias does not fit into int32 on the scale input x weights",
            "quantize the float model again with a larger smallest scale, or give the float model",
        )  # fmt: skip
    larger = np.where(beyond, np.abs(real) / np.float32(2**30), scales).astype(np.float32)
    node = graph.producer(conv.input[1])
    if node is not None:
        write_constant(
            graph, node, Whole(kernel.values, (larger / step).astype(np.float32), kernel.zeros, kernel.axis)
        )
    return np.rint(real.astype(np.float64) / larger).astype(np.int32), larger


def _same(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return bool(np.allclose(one, other, rtol=CLOSE, atol=0))


def _refuse(conv: NodeProto, reason: str, remedy: str) -> UnsupportedError:
    return UnsupportedError(f"Conv {conv.name or conv.output[0]!r}: {reason}", remedy)
