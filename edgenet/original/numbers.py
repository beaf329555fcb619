"""Every real number in float32, and the picture too: what was exported in another precision, or for bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgenet.errors import ModelError
from edgenet.preprocessing import Preprocessing

__all__ = ["drop_casts", "in_float32", "with_float_input"]

REAL = (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
WHOLE = (TensorProto.UINT8, TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64)
# Operators that move numbers; between a picture of bytes and its Cast there may be no others.
MOVES = (
    "Concat", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Transpose",
    "Unsqueeze",
)  # fmt: skip
TYPED = ("dtype", "to")


def in_float32(proto: onnx.ModelProto) -> bool:
    """Turn half and double precision into float32, in place: weights, inputs, outputs, casts.

    Returns:
        Whether there was any. What the graph computes is then more exact, or less by float32's rounding.
    """
    graph = proto.graph
    found = [item for item in graph.initializer if item.data_type in REAL]
    for item in found:
        item.CopyFrom(_float32(item))
    changed = bool(found)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t") and attribute.t.data_type in REAL:
                attribute.t.CopyFrom(_float32(attribute.t))
                changed = True
            elif attribute.name in TYPED and attribute.i in REAL:
                attribute.i = TensorProto.FLOAT
                changed = True
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type in REAL:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
            changed = True
    if changed:
        del graph.value_info[:]
    return changed


def with_float_input(proto: onnx.ModelProto, preprocessing: Preprocessing, path: Path) -> bool:
    """Let a graph that takes whole numbers take the same numbers as float32, in place.

    Returns:
        Whether it took whole numbers.

    Raises:
        ModelError: It computes with them before it casts them, or its card does not make whole numbers.
    """
    graph = proto.graph
    entry = graph.input[0]
    kind = entry.type.tensor_type.elem_type
    if kind not in WHOLE:
        return False
    name = TensorProto.DataType.Name(kind).lower()
    limits = np.iinfo(helper.tensor_dtype_to_np_dtype(kind))
    means = np.asarray(preprocessing.mean)
    whole = set(preprocessing.std) == {1.0} and np.all(means == np.rint(means))
    if not whole or -means.max() < limits.min or 255 - means.min() > limits.max:
        raise ModelError(
            f"{path}: input {entry.name!r} takes {name}, which the card's mean and std do not make",
            "write mean = [0, 0, 0] and std = [1, 1, 1] in the card",
        )
    if (node := _computes(proto, entry.name)) is not None:
        raise ModelError(
            f"{path}: {node.op_type} {node.name!r} computes with the input's {name}",
            "export the model with a float32 input",
        )
    entry.type.tensor_type.elem_type = TensorProto.FLOAT
    del graph.value_info[:]
    return True


def drop_casts(proto: onnx.ModelProto) -> int:
    """Let casts from float32 to float32 be nothing, in place; returns how many."""
    values = (*proto.graph.value_info, *proto.graph.input)
    kinds = {item.name: item.type.tensor_type.elem_type for item in values}
    kinds |= {item.name: item.data_type for item in proto.graph.initializer}
    dropped = 0
    for node in proto.graph.node:
        to = next((item.i for item in node.attribute if item.name == "to"), 0)
        if node.op_type == "Cast" and to == TensorProto.FLOAT == kinds.get(node.input[0]):
            node.op_type = "Identity"
            del node.attribute[:]
            dropped += 1
    return dropped


def _float32(item: TensorProto) -> TensorProto:
    with np.errstate(over="ignore"):
        return numpy_helper.from_array(numpy_helper.to_array(item).astype(np.float32), item.name)


def _computes(proto: onnx.ModelProto, entry: str) -> NodeProto | None:
    """The first node that does something else with whole numbers than to move them on to a Cast."""
    whole = {entry}
    nodes: list[NodeProto] = list(proto.graph.node)
    for node in nodes:
        if not whole & set(node.input) or node.op_type == "Cast":
            continue
        if node.op_type not in MOVES:
            return node
        whole |= set(node.output)
    return None
