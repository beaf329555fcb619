"""Sums and products: layers that merge tensors, and functions of ``tf`` and ``keras.ops`` between layers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgenet.importers.keras_network.architecture import AGAIN
from edgenet.importers.keras_network.layer import Layer, LayerWriter
from edgenet.importers.keras_network.layers.activation import CURVES, rectified
from edgenet.importers.keras_network.layers.pooling import mean_over_pixels
from edgenet.importers.keras_network.writer import Tensor

__all__ = ["LAYERS", "OPERATIONS", "constant"]

BINARY = {"Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "Maximum": "Max", "Minimum": "Min"}
# Functions of TensorFlow as Keras 2 names them, operators of TensorFlow's graphs, and keras.ops.
FUNCTIONS = {
    "__operators__.add": "Add", "math.add": "Add", "Add": "Add", "AddV2": "Add",
    "math.subtract": "Sub", "Subtract": "Sub", "Sub": "Sub",
    "math.multiply": "Mul", "Multiply": "Mul", "Mul": "Mul",
    "math.truediv": "Div", "math.divide": "Div", "TrueDivide": "Div", "Divide": "Div", "RealDiv": "Div",
    "math.maximum": "Max", "Maximum": "Max", "math.minimum": "Min", "Minimum": "Min",
}  # fmt: skip
UNARY = {
    "nn.relu": "relu", "nn.relu6": "relu6", "Relu": "relu", "Relu6": "relu6", "ReLU": "relu",
    "ReLU6": "relu6",
    "nn.softmax": "softmax", "Softmax": "softmax", "math.sigmoid": "sigmoid", "Sigmoid": "sigmoid",
    "nn.silu": "silu", "nn.swish": "silu", "Silu": "silu", "HardSigmoid": "hard_sigmoid",
    "HardSilu": "hard_silu", "math.tanh": "tanh", "Tanh": "tanh",
}  # fmt: skip
SAME = ("cast", "identity", "stop_gradient", "Cast", "Identity", "StopGradient", "convert_to_tensor")
MEANS = ("math.reduce_mean", "Mean")


def constant(layer: Layer, name: str, value: Any) -> str:
    """A number, or numbers along Keras' last axes, as a weight that fits the layer's input.

    Raises:
        ModelError: It is neither.
    """
    rank = len(layer.inputs[0].shape) + 1
    try:
        with np.errstate(over="ignore"):  # what is too large is infinite, and refused
            found = np.array(value, np.float32)
        if (
            not found.size
            or not np.isfinite(found).all()
            or found.ndim > rank
            or isinstance(value, str | bool)
        ):
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        raise layer.config.refuse(f"has the constant {str(value)[:80]}, no numbers", AGAIN) from None
    if found.ndim:
        found = found.reshape((1,) * (rank - found.ndim) + found.shape)
        found = found.transpose(0, 3, 1, 2) if rank == 4 else found
    return layer.weight(name, found)


def _binary(layer: Layer, kind: str, operands: Sequence[Any]) -> Tensor:
    """Two or more tensors, or a tensor and a constant on either side."""
    if len(operands) < 2 or not any(isinstance(item, Tensor) for item in operands):
        raise layer.config.refuse("gets one input, and needs two", AGAIN)
    made: Tensor | None = None
    names = [item if isinstance(item, Tensor) else constant(layer, "constant", item) for item in operands]
    first: Tensor | str = names[0]
    for at, second in enumerate(names[1:], 2):
        shape = _shape(layer, first, second)
        made = layer.node(kind, [first, second], shape, "" if at == len(names) else layer.part(f"sum{at}"))
        first = made
    assert made is not None
    return made


def _shape(layer: Layer, first: Tensor | str, second: Tensor | str) -> tuple[int, ...]:
    shapes = [item.shape for item in (first, second) if isinstance(item, Tensor)]
    if len({len(shape) for shape in shapes}) > 1:
        raise layer.config.refuse("joins tensors with different numbers of axes, which edgenet does not know")
    sides = list(zip(*shapes, strict=True))
    if any(len(set(side) - {1}) > 1 for side in sides):
        raise layer.config.refuse("joins tensors of shapes that do not fit", AGAIN)
    return tuple(max(side) for side in sides)


def _merged(layer: Layer) -> Tensor:
    """A layer, or the function of ``keras.ops`` of that name, which takes constants too."""
    return _binary(layer, BINARY[layer.kind], _operands(layer))


def _concatenated(layer: Layer) -> Tensor:
    shapes = [tensor.shape for tensor in layer.inputs]
    axis, rank = layer.config.values.get("axis", -1), len(shapes[0]) + 1 if shapes else 0
    if not shapes or len({len(shape) for shape in shapes}) > 1:
        raise layer.config.refuse("joins tensors with different numbers of axes", AGAIN)
    axis = axis + rank if type(axis) is int and axis < 0 else axis
    if type(axis) is not int or not 1 <= axis < rank:
        raise layer.config.damaged("axis", "an axis of its tensors")
    rest = {shape[: axis - 1] + shape[axis:] for shape in shapes}
    if len(rest) > 1:
        raise layer.config.refuse("joins tensors of shapes that do not fit", AGAIN)
    shape = list(shapes[0])
    shape[axis - 1] = sum(item[axis - 1] for item in shapes)
    if len(layer.inputs) == 1:
        return layer.inputs[0]
    place = {1: 2, 2: 3, 3: 1}[axis] if rank == 4 else axis
    return layer.node("Concat", list(layer.inputs), shape, axis=place)


def _function(layer: Layer, name: str) -> Tensor:
    """One function, called with tensors and constants in any order."""
    if name in FUNCTIONS:
        return _binary(layer, FUNCTIONS[name], _operands(layer))
    if name in UNARY:
        if {**layer.config.values, **layer.kwargs}.get("axis", -1) not in (-1, None):
            raise layer.config.refuse("has another axis than the last, which edgenet does not know")
        return CURVES[UNARY[name]](layer, layer.source, layer.name)
    if name in SAME:
        return layer.source
    if name in ("clip_by_value", "Clip"):
        return _clipped(layer)
    if name in MEANS:
        return _mean(layer)
    raise layer.config.refuse(f"calls {name}, which edgenet does not know")


def _operands(layer: Layer) -> list[Any]:
    """Tensors and constants of a call, in their order."""
    named = [layer.kwargs.get(key) for key in ("x1", "x2", "x", "y")]
    return [item for item in (*layer.args, *named) if item is not None]


def _clipped(layer: Layer) -> Tensor:
    told = {**layer.config.values, **layer.kwargs}
    limits = [told.get(f"clip_value_{end}", told.get(f"x_{end}")) for end in ("min", "max")]
    if limits[0] != 0 or not isinstance(limits[1], int | float) or not 0 < limits[1] < 1e30:
        raise layer.config.refuse("cuts numbers otherwise than from 0 up, which edgenet does not know")
    return rectified(layer, layer.source, layer.name, 0.0, float(limits[1]))


def _mean(layer: Layer) -> Tensor:
    told = {**layer.config.values, **layer.kwargs}
    if told.get("axis") not in ([1, 2], [2, 1]):
        raise layer.config.refuse("takes the mean over other axes than height and width")
    return mean_over_pixels(layer, told.get("keepdims") is True)


def _tf_function(layer: Layer) -> Tensor:
    """Keras 2's node for a function of TensorFlow."""
    return _function(layer, str(layer.config.values.get("function")))


def _graph_operator(layer: Layer) -> Tensor:
    """The same until TensorFlow 2.3: an operator of a graph, its constants by the number of the input."""
    node: Any = layer.config.values.get("node_def")
    held = layer.config.values.get("constants") or {}
    try:
        node = json.loads(node) if isinstance(node, str) else node
        name, count = str(node["op"]), len(node["input"])
        constants = {int(key): value for key, value in held.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise layer.config.damaged("node_def", "an operator") from None
    tensors = iter(layer.inputs)
    operands = [constants[at] if at in constants else next(tensors, None) for at in range(min(count, 16))]
    if name not in FUNCTIONS:
        return _function(layer, name)
    return _binary(layer, FUNCTIONS[name], [item for item in operands if item is not None])


def _operation(layer: Layer) -> Tensor:
    return _function(layer, layer.kind)


def _average(layer: Layer) -> Tensor:
    if len(layer.inputs) < 2 or len({tensor.shape for tensor in layer.inputs}) > 1:
        raise layer.config.refuse("averages tensors of shapes that do not fit", AGAIN)
    total = layer.inputs[0]
    for tensor in layer.inputs[1:]:
        total = layer.node("Add", [total, tensor], total.shape, layer.part("sum"))
    share = layer.weight("share", np.array(1 / len(layer.inputs), np.float32))
    return layer.node("Mul", [total, share], total.shape)


LAYERS: Mapping[str, LayerWriter] = {
    **dict.fromkeys(BINARY, _merged),
    "Average": _average,
    "Concatenate": _concatenated,
    "SlicingOpLambda": _tf_function,
    "TFOpLambda": _tf_function,
    "TensorFlowOpLayer": _graph_operator,
}
OPERATIONS: Mapping[str, LayerWriter] = dict.fromkeys((*FUNCTIONS, *UNARY, *SAME, *MEANS, "Clip"), _operation)
