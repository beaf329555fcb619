"""What a detector's graph computes from constants and shapes alone, as constants: anchors, paddings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

__all__ = ["FOLDED", "evaluated", "fold_constants"]

Values = NDArray[Any]
# Operators of little work whose results are no larger than what they read, or are bounded below.
FOLDED = (
    "Abs", "Add", "And", "Cast", "Ceil", "Clip", "Concat", "ConstantOfShape", "Cos", "Div", "Equal", "Exp",
    "Expand", "Flatten", "Floor", "Gather", "GatherND", "Greater", "GreaterOrEqual", "Identity", "Less",
    "LessOrEqual", "Log", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "Range", "Reciprocal",
    "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSum", "Reshape", "Round", "ScatterND", "Size", "Slice",
    "Split", "Sqrt", "Squeeze", "Sub", "Tile", "Transpose", "Unsqueeze", "Where",
)  # fmt: skip
MOST, MOST_IN_ALL = 1 << 21, 1 << 24  # numbers of one constant, and of all that a round makes
ROUNDS = 8  # how often shapes are told anew


def fold_constants(proto: onnx.ModelProto) -> int:
    """Turn nodes that do not depend on the picture into constants, in place; returns how many.

    Shapes are told from what is folded, and what reads them is folded after that: graphs that were traced
    with a picture of one size write out how to find that size again.
    """
    folded = 0
    for _ in range(ROUNDS):
        made = _folded_once(proto, _known_shapes(proto))
        folded += made
        if not made:
            break
    return folded


def evaluated(node: NodeProto, opset: int, values: Mapping[str, Values]) -> list[Values]:
    """What one operator gives from what it reads, in numpy.

    Raises:
        ValueError: It fails.
    """
    given = [name for name in dict.fromkeys(node.input) if name]
    inputs = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(values[name].dtype), values[name].shape
        )
        for name in given
    ]
    outputs = [helper.make_tensor_value_info(name, onnx.TensorProto.UNDEFINED, None) for name in node.output]
    graph = helper.make_graph([node], "one", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        with np.errstate(all="ignore"):
            made = ReferenceEvaluator(model).run(None, {name: values[name] for name in given})
    except Exception as error:  # numpy's and the evaluator's own, of any kind: the node is left as it is
        raise ValueError(type(error).__name__) from None
    return [np.asarray(item) for item in made]


def _folded_once(proto: onnx.ModelProto, shapes: Mapping[str, tuple[int, ...]]) -> int:
    opset = next((int(item.version) for item in proto.opset_import if item.domain in ("", "ai.onnx")), 0)
    held: dict[str, Values] = {
        item.name: numpy_helper.to_array(item)
        for item in proto.graph.initializer
        if math.prod(item.dims) <= MOST
    }
    folded, left = [], MOST_IN_ALL
    for at, node in enumerate(proto.graph.node):
        made = _constant(node, opset, held, shapes) if left > 0 else None
        left -= sum(value.size for value in (made or {}).values())
        held.update(made or {})
        if made and node.op_type != "Constant":
            folded.append(at)
            for name, value in made.items():
                proto.graph.initializer.append(numpy_helper.from_array(value, name))
    for at in reversed(folded):
        del proto.graph.node[at]
    return len(folded)


def _constant(
    node: NodeProto, opset: int, held: Mapping[str, Values], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Values] | None:
    """The results of a node where they are constants."""
    if node.op_type == "Constant":
        value = next((item for item in node.attribute if item.name == "value"), None)
        return {node.output[0]: numpy_helper.to_array(value.t)} if value is not None else None
    if node.op_type == "Shape" and (node.input[0] in shapes or node.input[0] in held):
        known = held[node.input[0]].shape if node.input[0] in held else shapes[node.input[0]]
        sides = np.array(known, np.int64)
        ends = {item.name: item.i for item in node.attribute}
        return {node.output[0]: sides[ends.get("start", 0) : ends.get("end", len(sides))]}
    if node.op_type not in FOLDED or not all(name in held for name in node.input if name):
        return None
    if not _is_bounded(node, [held[name] for name in node.input if name]):
        return None
    try:
        made = evaluated(node, opset, held)
    except ValueError:
        return None
    return dict(zip(node.output, made, strict=False)) if all(item.size <= MOST for item in made) else None


def _is_bounded(node: NodeProto, read: list[Values]) -> bool:
    """Whether an operator's result is of a size that can be held."""
    if node.op_type == "Range":
        start, limit, step = (float(item.reshape(-1)[0]) for item in read)
        return bool(step) and 0 <= (limit - start) / step <= MOST
    if node.op_type in ("ConstantOfShape", "Expand", "Tile"):
        factors = [abs(int(side)) for side in read[-1].reshape(-1)]
        own = read[0].size if node.op_type != "ConstantOfShape" else 1
        return math.prod([own, *factors]) <= MOST
    return True


def _known_shapes(proto: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    try:
        graph = onnx.shape_inference.infer_shapes(proto, data_prop=True).graph
    except (onnx.shape_inference.InferenceError, ValueError, MemoryError):
        return {}
    found = {item.name: tuple(item.dims) for item in graph.initializer}
    for item in (*graph.value_info, *graph.input, *graph.output):
        kind = item.type.tensor_type
        sides = tuple(dim.dim_value for dim in kind.shape.dim)
        if kind.HasField("shape") and all(dim.HasField("dim_value") for dim in kind.shape.dim):
            found[item.name] = sides
    return found
