"""Small float graphs from ``x`` to ``y``, and the check that a pass keeps what they compute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper, shape_inference

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph

node = helper.make_node


def graph(
    nodes: Sequence[NodeProto],
    weights: Mapping[str, NDArray[Any]] | None = None,
    shape: Sequence[int] = (1, 3, 6, 5),
    opset: int = 13,
    result: Sequence[int] | None = None,
) -> Graph:
    """A graph around nodes from ``x``, float32 of this shape, to ``y``; float64 weights become float32.

    Args:
        nodes: In their order.
        weights: By name.
        shape: Of ``x``.
        opset: The operator set.
        result: The shape of ``y``, where inference cannot tell.
    """
    held = {
        name: value.astype(np.float32) if value.dtype == np.float64 else value
        for name, value in (weights or {}).items()
    }
    body = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, result)],
        [numpy_helper.from_array(value, name) for name, value in held.items()],
    )
    proto = helper.make_model(body, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return Graph(shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True))


def answers(proto: onnx.ModelProto, shown: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The first output for each input, one after the other; nothing is optimized."""
    evaluator = Evaluator(proto, optimize=False)
    return np.stack([evaluator.row(item) for item in shown])


def inputs(of: Graph, count: int = 3) -> list[NDArray[Any]]:
    """Noise for a graph's input: floats, or bytes where it takes pixels."""
    generator = np.random.default_rng(7)
    shape = of.shape(of.input)
    if of.inputs[of.input].type.tensor_type.elem_type == TensorProto.UINT8:
        return [generator.integers(0, 256, shape, dtype=np.uint8) for _ in range(count)]
    return [generator.normal(0, 2, shape).astype(np.float32) for _ in range(count)]


def keeps(before: Graph, after: Graph, tolerance: float = 1e-5) -> None:
    """Both graphs give the same answers; the tolerance is a share of their range."""
    shown = inputs(before)
    expected, got = answers(before.proto(), shown), answers(after.proto(), shown)
    assert got.shape == expected.shape
    assert np.ptp(expected) > 0, "a graph that answers one number shows nothing"
    assert np.abs(got - expected).max() <= tolerance * np.ptp(expected)


def kinds(of: Graph) -> Counter[str]:
    """How many nodes of each operator there are."""
    return Counter(item.op_type for item in of.nodes)


def written(of: Graph) -> bytes:
    """The graph's bytes: equal where a pass left it alone."""
    return bytes(of.proto().SerializeToString(deterministic=True))


def random(*shape: int, seed: int = 0) -> NDArray[np.float64]:
    """Normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)
