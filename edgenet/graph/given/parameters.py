"""Scales, zero points and whole constants of a user's Q/DQ in the one form that passes read.

Activations become int8 with one scale; constants int8 (or int32), whole where the file has them as floats
behind a Q/DQ pair. uint8 with zero point z is int8 with z - 128: 128 is taken off both, nothing real changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from edgenet.errors import UnsupportedError
from edgenet.graph.graph import Graph, attributes
from edgenet.graph.qparams import SIGNED

__all__ = ["Whole", "real_values", "settle_parameters", "whole_constant", "write_constant"]

AGAIN = "quantize the float model again with int8 or uint8, or give the float model"
BYTES = (np.dtype(np.int8), np.dtype(np.uint8))
RESHAPES = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")


class Whole:
    """A constant in integers: ``real = scales * (values - zeros)`` along an axis.

    Attributes:
        values: int8 or int32.
        scales: float32, a scalar, or one a slice of the axis.
        zeros: Of the values' type and the scales' shape.
        axis: Of the scales; 0 where there is one.
    """

    def __init__(self, values: NDArray[Any], scales: NDArray[Any], zeros: NDArray[Any], axis: int) -> None:
        self.values, self.scales, self.zeros, self.axis = values, scales, zeros, axis

    @property
    def real(self) -> NDArray[np.float32]:
        """The real values, as a DequantizeLinear computes them."""
        scales, zeros = (_along(item, self.values.ndim, self.axis) for item in (self.scales, self.zeros))
        return np.asarray((self.values.astype(np.int64) - zeros).astype(np.float32) * scales, np.float32)

    @property
    def symmetric(self) -> bool:
        """Whether real zero is the integer 0 everywhere."""
        return not np.any(self.zeros)

    def transposed(self, order: list[int]) -> Whole:
        """With its axes in another order."""
        axis = order.index(self.axis) if self.scales.ndim else 0
        return Whole(np.ascontiguousarray(self.values.transpose(order)), self.scales, self.zeros, axis)


def settle_parameters(graph: Graph) -> int:
    """Bring every QuantizeLinear and DequantizeLinear to the canonical form, in place.

    Returns:
        How many there are.

    Raises:
        UnsupportedError: Another type than 8 bits, a scale that is not a positive constant, several scales
            in an activation, or a pair that does not dequantize as it quantized; the node is named.
    """
    for node in _of(graph, "QuantizeLinear"):
        if node.input[0] in graph.constants:
            _round_constant(graph, node)
    for node in _of(graph, "DequantizeLinear"):
        if node.input[0] in graph.constants:
            write_constant(graph, node, _read_constant(graph, node))
    activations = [node for node in _both(graph) if node.input[0] not in graph.constants]
    for node, parameters in [(node, _parameters(graph, node)) for node in activations]:
        _settle_activation(graph, node, *parameters)
    for node in activations:
        if node.op_type == "DequantizeLinear":
            _check_pair(graph, node)
    for node in _of(graph, "DequantizeLinear"):
        if node.input[0] in graph.constants:
            _take_moves(graph, node)
    return len(_both(graph))


def whole_constant(graph: Graph, name: str) -> Whole | None:
    """What a tensor is where it is a dequantized constant, after :func:`settle_parameters`."""
    node = graph.producer(name)
    if node is None or node.op_type != "DequantizeLinear" or node.input[0] not in graph.constants:
        return None
    values, scales, zeros = (graph.constants[item] for item in node.input)
    return Whole(values, scales, zeros, int(attributes(node).get("axis", 0)))


def real_values(graph: Graph, name: str) -> NDArray[np.float32] | None:
    """The real values of a constant, dequantized or not; ``None`` for what is computed."""
    whole = whole_constant(graph, name)
    value = whole.real if whole is not None else graph.constant(name)
    return None if value is None else np.asarray(value, np.float32)


def write_constant(graph: Graph, dequantize: NodeProto, whole: Whole) -> None:
    """Let a DequantizeLinear read these integers."""
    parts = {"whole": whole.values, "scale": whole.scales, "zero": whole.zeros}
    names = [graph.add_constant(f"{dequantize.output[0]}/{key}", item) for key, item in parts.items()]
    graph.set_inputs(dequantize, names)
    del dequantize.attribute[:]
    if whole.scales.ndim:
        dequantize.attribute.append(helper.make_attribute("axis", whole.axis))
    graph.reshape(dequantize.output[0], whole.values.shape)


def _both(graph: Graph) -> list[NodeProto]:
    return [*_of(graph, "QuantizeLinear"), *_of(graph, "DequantizeLinear")]


def _of(graph: Graph, kind: str) -> list[NodeProto]:
    return [node for node in graph.nodes if node.op_type == kind]


def _parameters(graph: Graph, node: NodeProto) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Scales and zero points as they stand: scalars where there is one."""
    scales = graph.constant(node.input[1])
    zeros = graph.constant(node.input[2]) if len(node.input) > 2 and node.input[2] else None
    if scales is None or (zeros is None and len(node.input) > 2 and node.input[2]):
        raise _refuse(node, "its scale or zero point is computed while it runs")
    if attributes(node).get("block_size", 0):
        raise _refuse(node, "a scale for each block of values")
    if scales.dtype != np.float32:
        raise _refuse(node, f"its scale is {scales.dtype}")
    if not np.all(np.isfinite(scales)) or np.any(scales <= 0):
        raise _refuse(node, "its scale is not a positive number")
    if zeros is None:
        zeros = np.zeros(scales.shape, _default_type(graph, node))
    if zeros.shape != scales.shape and zeros.size != scales.size:
        raise _refuse(node, f"{scales.size} scales and {zeros.size} zero points")
    shape = () if scales.size == 1 else (scales.size,)
    return scales.reshape(shape), zeros.reshape(shape)


def _default_type(graph: Graph, node: NodeProto) -> np.dtype[Any]:
    """The integers' type where no zero point tells it."""
    if node.op_type == "DequantizeLinear" and node.input[0] in graph.constants:
        return graph.constants[node.input[0]].dtype
    maker = graph.producer(node.input[0]) if node.op_type == "DequantizeLinear" else None
    if maker is not None and maker.op_type == "QuantizeLinear":
        return _parameters(graph, maker)[1].dtype
    declared = int(attributes(node).get("output_dtype", 0)) if node.op_type == "QuantizeLinear" else 0
    return np.dtype(helper.tensor_dtype_to_np_dtype(declared or TensorProto.UINT8))


def _round_constant(graph: Graph, node: NodeProto) -> None:
    """Float weights behind a QuantizeLinear, as training for int8 leaves them: what it makes of them."""
    scales, zeros = _parameters(graph, node)
    values = graph.constants[node.input[0]]
    if zeros.dtype not in BYTES or values.dtype != np.float32:
        raise _refuse(node, f"it makes {zeros.dtype} of {values.dtype}")
    if not np.all(np.isfinite(values)):
        raise UnsupportedError(
            f"{node.op_type} {_label(node)!r} has NaN or infinite weights", "check the training"
        )
    axis = int(attributes(node).get("axis", 1)) % max(values.ndim, 1)
    steps = np.rint(values / _along(scales, values.ndim, axis)) + _along(zeros, values.ndim, axis)
    limits = np.iinfo(zeros.dtype)
    graph.constants[node.output[0]] = np.clip(steps, limits.min, limits.max).astype(zeros.dtype)
    graph.remove(node)


def _read_constant(graph: Graph, node: NodeProto) -> Whole:
    values, (scales, zeros) = graph.constants[node.input[0]], _parameters(graph, node)
    axis = int(attributes(node).get("axis", 1)) % max(values.ndim, 1) if scales.ndim else 0
    if values.dtype == np.int32:
        if np.any(zeros):
            raise _refuse(node, "int32 with a zero point that is not 0")
        return Whole(values, scales, np.zeros(scales.shape, np.int32), axis)
    if values.dtype not in BYTES or values.dtype != zeros.dtype:
        raise _refuse(node, f"its integers are {values.dtype}")
    if scales.ndim and (values.ndim == 0 or values.shape[axis] != scales.size):
        raise _refuse(node, f"{scales.size} scales for values of shape {values.shape}")
    return Whole(_signed(values), scales, _signed(zeros), axis)


def _settle_activation(
    graph: Graph, node: NodeProto, scales: NDArray[np.float32], zeros: NDArray[Any]
) -> None:
    if scales.ndim:
        raise _refuse(node, "an activation with a scale per channel")
    if zeros.dtype not in BYTES:
        raise _refuse(node, f"activations in {zeros.dtype}")
    name = node.output[0]
    scale = graph.add_constant(f"{name}/scale", scales)
    graph.set_inputs(node, [node.input[0], scale, graph.add_constant(f"{name}/zero_point", _signed(zeros))])
    del node.attribute[:]


def _check_pair(graph: Graph, node: NodeProto) -> None:
    maker = graph.producer(node.input[0])
    if maker is None or maker.op_type != "QuantizeLinear":
        raise _refuse(node, f"it reads {node.input[0]!r}, which nothing quantized")
    ours, theirs = ([graph.constants[name] for name in item.input[1:3]] for item in (node, maker))
    if ours != theirs:
        raise _refuse(node, f"it does not dequantize {node.input[0]!r} as it was quantized")


def _take_moves(graph: Graph, node: NodeProto) -> None:
    """Constants that are transposed or reshaped behind their DequantizeLinear stand as they are wanted."""
    for reader in graph.consumers(node.output[0]):
        whole, moved = whole_constant(graph, node.output[0]), None
        if whole is None or graph.is_output(reader.output[0]):
            continue
        if reader.op_type == "Transpose":
            order = attributes(reader).get("perm") or list(range(whole.values.ndim))[::-1]
            moved = whole.transposed([int(item) for item in order])
        elif reader.op_type in RESHAPES and reader.input[0] == node.output[0]:
            shape = graph.shape(reader.output[0])
            if all(shape) and (not whole.scales.ndim or (whole.axis == 0 and shape[0] == len(whole.values))):
                moved = Whole(whole.values.reshape(shape), whole.scales, whole.zeros, 0)
        if moved is not None:
            name = graph.fresh(f"{reader.output[0]}/moved")
            made = helper.make_node("DequantizeLinear", list(node.input), [name], name=name)
            graph.insert(reader, made, moved.values.shape)
            write_constant(graph, made, moved)
            graph.remove(reader)
            graph.redirect(reader.output[0], name)
            _take_moves(graph, made)
    if not graph.consumers(node.output[0]) and not graph.is_output(node.output[0]):
        graph.remove(node)


def _signed(values: NDArray[Any]) -> NDArray[np.int8]:
    shift = SIGNED if values.dtype == np.uint8 else 0
    return np.asarray(values.astype(np.int16) - shift, np.int8)


def _along(values: NDArray[Any], rank: int, axis: int) -> NDArray[Any]:
    return values.reshape([-1 if index == axis else 1 for index in range(rank)]) if values.ndim else values


def _label(node: NodeProto) -> str:
    return str(node.name or node.output[0])


def _refuse(node: NodeProto, reason: str) -> UnsupportedError:
    return UnsupportedError(f"{node.op_type} {_label(node)!r}: {reason}", AGAIN)
