"""One picture at a time, of the card's size, and one row of answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgenet.errors import ModelError
from edgenet.text import cause

__all__ = ["drop_unused_inputs", "inferred", "settle_input", "settle_output", "with_output_shapes"]

IMAGE_RANK = 4
TO_NCHW = [0, 3, 1, 2]
SHAPES = ("Expand", "Reshape")  # operators with a shape that may begin with the batch


def drop_unused_inputs(proto: onnx.ModelProto) -> None:
    """Take weights (files before IR 4 list them) and what nobody reads out of the inputs, in place."""
    weights = {item.name for item in proto.graph.initializer}
    read = {name for node in proto.graph.node for name in node.input}
    given = [item for item in proto.graph.input if item.name not in weights]
    used = [item for item in given if item.name in read] or given
    if len(used) != len(proto.graph.input):
        del proto.graph.input[:]
        proto.graph.input.extend(used)


def with_output_shapes(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with a shape for its outputs, as onnx's checker wants it; some exporters leave it out."""
    told = all(item.type.tensor_type.HasField("shape") for item in proto.graph.output)
    return proto if told else onnx.shape_inference.infer_shapes(proto)


def settle_input(proto: onnx.ModelProto, size: tuple[int, int], channels: int, path: Path) -> None:
    """Set batch 1 and, where they are free, the height and width of the card, in place.

    A larger batch is one that the file was exported with; shapes inside that name it follow.
    """
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    if len(dims) != IMAGE_RANK:
        return
    batch = dims[0].dim_value
    at = _channel_axis(proto, channels)
    wanted = (1, *size, channels) if at == IMAGE_RANK - 1 else (1, channels, *size)
    if batch > 1:
        _settle_batch(proto, batch, path)
    free = [axis for axis, dim in enumerate(dims) if axis and not dim.dim_value]
    if batch == 1 and not free:
        return
    for axis in (0, *free):
        dims[axis].dim_value = wanted[axis]
    del proto.graph.value_info[:]
    for item in proto.graph.output:
        item.type.tensor_type.ClearField("shape")


def settle_output(proto: onnx.ModelProto) -> bool:
    """Give [1, values] where the graph gives the same numbers with more axes, or fewer; in place.

    Returns:
        Whether the output was reshaped.
    """
    output = proto.graph.output[0]
    shape = [dim.dim_value for dim in output.type.tensor_type.shape.dim]
    values = [side for side in shape if side != 1]
    if not all(shape) or len(values) > 1 or (len(shape) == 2 and shape[0] == 1) or not shape:
        return False
    count = values[0] if values else 1
    taken = {name for node in proto.graph.node for name in (*node.input, *node.output)}
    flat, wanted = (_fresh(f"{output.name}/{part}", taken) for part in ("flat", "flat_shape"))
    proto.graph.initializer.append(numpy_helper.from_array(np.array([1, count], np.int64), wanted))
    proto.graph.node.append(helper.make_node("Reshape", [output.name, wanted], [flat], name=flat))
    kind = output.type.tensor_type.elem_type
    proto.graph.value_info.append(output)
    proto.graph.output[0].CopyFrom(helper.make_tensor_value_info(flat, kind, [1, count]))
    return True


def inferred(proto: onnx.ModelProto, path: Path) -> onnx.ModelProto:
    """The model with the shapes of all tensors.

    Raises:
        ModelError: They contradict each other.
    """
    try:
        return onnx.shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError as error:
        raise ModelError(
            f"{path}: shapes do not fit together ({cause(error)})", "export the model again"
        ) from None


def _channel_axis(proto: onnx.ModelProto, channels: int) -> int:
    """Where the colors are: as the dimensions say, else as the input's first real reader wants it."""
    entry = proto.graph.input[0]
    sides = [dim.dim_value for dim in entry.type.tensor_type.shape.dim]
    if channels in (sides[1], sides[3]) and sides[1] != sides[3]:
        return 1 if sides[1] == channels else 3
    behind = {entry.name}
    for node in proto.graph.node:
        if not behind & set(node.input):
            continue
        if node.op_type == "Transpose":
            perm = next((list(item.ints) for item in node.attribute if item.name == "perm"), [])
            return 3 if perm == TO_NCHW else 1
        if node.op_type in ("Conv", "BatchNormalization"):
            return 1
        behind |= set(node.output)
    return 1


def _settle_batch(proto: onnx.ModelProto, batch: int, path: Path) -> None:
    """Let constant shapes that begin with the batch begin with 1."""
    graph = inferred(proto, path).graph
    first = {
        item.name: item.type.tensor_type.shape.dim[0].dim_value
        for item in (*graph.value_info, *graph.input, *graph.output)
        if item.type.tensor_type.shape.dim
    }
    readers: dict[str, list[NodeProto]] = {}
    for node in proto.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for item in _constants(proto):
        named = [node for node in readers.get(item.name, []) if node.op_type in SHAPES]
        values = numpy_helper.to_array(item)
        if not named or len(named) < len(readers[item.name]) or values.ndim != 1 or values[:1] != batch:
            continue
        if all(first.get(node.output[0]) == batch for node in named):
            item.CopyFrom(numpy_helper.from_array(np.array([1, *values[1:]], np.int64), item.name))


def _constants(proto: onnx.ModelProto) -> list[TensorProto]:
    """Weights and what Constant nodes hold, by the names that others read."""
    held = list(proto.graph.initializer)
    for node in proto.graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value_ints":
                value = numpy_helper.from_array(np.array(attribute.ints, np.int64))
                attribute.CopyFrom(helper.make_attribute("value", value))
            if attribute.name == "value":
                attribute.t.name = node.output[0]
                held.append(attribute.t)
    return held


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
