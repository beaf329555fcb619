"""What a network costs before anything is measured: multiply-adds and parameters, from shapes alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import onnx

from edgenet.errors import ModelError
from edgenet.text import cause

__all__ = ["Cost", "LayerCost", "cost"]

COUNTED = ("Conv", "Gemm", "MatMul")
# Operators that only repack a stored weight: a quantized kernel counts like the float one it came from.
REPACKING = ("DequantizeLinear", "QuantizeLinear", "Cast", "Identity", "Reshape", "Transpose")

Shapes = dict[str, tuple[int, ...]]
Readers = dict[str, list[onnx.NodeProto]]


@dataclass(frozen=True)
class LayerCost:
    """What one node costs.

    Attributes:
        name: Of the node, or of its output where the node has none.
        op: ONNX operator: Conv, Gemm or MatMul.
        macs: Multiply-adds for one image.
        parameters: Trainable numbers: its kernel, its bias, and the gamma and beta of a batch
            normalization that reads it.
    """

    name: str
    op: str
    macs: int
    parameters: int


@dataclass(frozen=True)
class Cost:
    """What a network costs: the totals are the sums over ``layers``.

    Attributes:
        parameters: Trainable numbers; moving means and variances are not trained and not counted.
        macs: Multiply-adds for one image, convolutions and matrix products only, as in the
            MobileNet papers; pooling, activations and biases are not counted.
        layers: In graph order.
    """

    parameters: int
    macs: int
    layers: tuple[LayerCost, ...]


def cost(model: onnx.ModelProto) -> Cost:
    """Count multiply-adds and parameters.

    A weight shared by several nodes is counted once, at the first. The leading axis of an
    activation is the batch and does not multiply the cost. An Add that follows a MatMul is its bias.

    Args:
        model: Float or with QuantizeLinear/DequantizeLinear pairs; shapes must be inferable.

    Raises:
        ModelError: A shape that is needed cannot be inferred.
    """
    shapes = _shapes(model)
    stored, readers = _stored(model.graph), _readers(model.graph)
    seen: set[str] = set()
    rows = []
    for node in model.graph.node:
        if node.op_type not in COUNTED:
            continue
        names = [name for name in _trained(node, readers) if name in stored and stored[name] not in seen]
        seen.update(stored[name] for name in names)
        parameters = sum(math.prod(_known(shapes, name)) for name in names)
        rows.append(LayerCost(node.name or node.output[0], node.op_type, _macs(node, shapes), parameters))
    return Cost(sum(row.parameters for row in rows), sum(row.macs for row in rows), tuple(rows))


def _macs(node: onnx.NodeProto, shapes: Shapes) -> int:
    out = _known(shapes, node.output[0])
    if node.op_type == "Conv":
        return math.prod(out[2:]) * math.prod(_known(shapes, node.input[1]))
    if node.op_type == "Gemm":
        return math.prod(_known(shapes, node.input[1]))
    return math.prod(out[1:]) * _known(shapes, node.input[0])[-1]


def _readers(graph: onnx.GraphProto) -> Readers:
    found: Readers = {}
    for node in graph.node:
        for name in dict.fromkeys(node.input):
            found.setdefault(name, []).append(node)
    return found


def _trained(node: onnx.NodeProto, readers: Readers) -> list[str]:
    """Names of the tensors that training would have moved for this node."""
    names = list(node.input[:2] if node.op_type == "MatMul" else node.input[1:3])
    for reader in readers.get(node.output[0], ()):
        if reader.op_type == "BatchNormalization":
            names += reader.input[1:3]
        elif reader.op_type == "Add" and node.op_type == "MatMul":
            names += [name for name in reader.input if name != node.output[0]]
    return names


def _stored(graph: onnx.GraphProto) -> dict[str, str]:
    """Every tensor that is a stored weight, repacked or not, with the name it is stored under."""
    stored = {tensor.name: tensor.name for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            stored[node.output[0]] = node.output[0]
        elif node.op_type in REPACKING and node.input[0] in stored:
            stored[node.output[0]] = stored[node.input[0]]
    return stored


def _shapes(model: onnx.ModelProto) -> Shapes:
    """Shapes of all tensors that have one; an unknown leading axis is a batch of one."""
    try:
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except onnx.shape_inference.InferenceError as error:
        raise ModelError(
            f"shapes do not fit together: {cause(error)}", "check the file with onnx.checker"
        ) from error
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        sizes = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in dims]
        if sizes and value.name not in shapes:
            shapes[value.name] = (sizes[0] or 1, *sizes[1:])
    return shapes


def _known(shapes: Shapes, name: str) -> tuple[int, ...]:
    shape = shapes.get(name)
    if shape is None or 0 in shape:
        raise ModelError(f"the shape of {name} is not known", "give the model a fixed input size")
    return shape
