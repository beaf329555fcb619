"""What the writing of an operator works with: the network that is read and the ONNX graph so far.

A quantized tensor is a float one behind QuantizeLinear and DequantizeLinear, with the file's scale and zero
point.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.errors import ModelError, UnsupportedError
from edgenet.importers.tflite_file.flatbuffer import AGAIN
from edgenet.importers.tflite_file.layout import TO_FILE, TO_GRAPH, graph_shape, keeps_order
from edgenet.importers.tflite_file.network import Affine, Network, Operator, Tensor

__all__ = ["ELSEWHERE", "Scope"]

OPSET = 17
IR_VERSION = 8
WIDE = "INT16"  # numbers of 16 bits, read as the floats that they stand for
BYTES = {"INT8": np.int8, "UINT8": np.uint8}
ELSEWHERE = "give the float model from before the conversion (.h5, .keras or ONNX)"
MOST_NUMBERS = 1 << 28  # of an activation
INT8_LIMIT = 127
LIMITS = {"RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}


class Scope:
    """The graph being written.

    Attributes:
        network: The file.
        values: Tensor number → its numbers, of constants and what was computed from them.
        flattened: Tensor number → the tensor of which it is the numbers in a row.
        padded: Tensor number → the tensor of which it is the picture with zeros around it, and how many (top,
            left, bottom, right).
        notes: What was left out.
    """

    def __init__(self, network: Network) -> None:
        self.network, self.where = network, network.where
        self.values = {item.index: item.data for item in network.tensors if item.data is not None}
        self.flattened: dict[int, int] = {}
        self.padded: dict[int, tuple[int, tuple[int, int, int, int]]] = {}
        self.notes: list[str] = []
        self.model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="edgenet")
        self.model.opset_import.append(helper.make_opsetid("", OPSET))
        self.nodes: list[NodeProto] = []
        self._real: dict[int, str] = {}
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._taken = {item.name for item in network.tensors}
        self._numbers: dict[str, int] = {}
        self._held: dict[Any, str] = {}

    def tensor(self, index: int) -> Tensor:
        """A tensor of the file."""
        return self.network.tensors[index]

    def whole(self, index: int) -> Affine | None:
        """How a tensor of bytes is quantized; ``None`` for any other."""
        tensor = self.tensor(index)
        return tensor.affine if tensor.kind in BYTES else None

    def is_wide(self, index: int) -> bool:
        """Whether a tensor is real values in 16 bits (TFLite's 16x8), whose rounding is not followed."""
        tensor = self.tensor(index)
        return tensor.kind == WIDE and tensor.affine is not None

    def shape(self, index: int) -> tuple[int, ...]:
        """A shape as the file has it, all sides known."""
        value = self.values.get(index)
        return self._shapes[index] if value is None else tuple(value.shape)

    def is_known(self, index: int) -> bool:
        """Whether a tensor is a constant or was made."""
        return index in self.values or index in self._shapes

    def real(self, index: int) -> str:
        """The name of a tensor's real values, in the graph's order of axes."""
        if index not in self._real:
            self._real[index] = self._constant_tensor(index)
        return self._real[index]

    def number(self, op: Operator, at: int) -> NDArray[Any]:
        """A constant operand as the file has it.

        Raises:
            UnsupportedError: It is computed while the network runs.
        """
        index = op.inputs[at] if at < len(op.inputs) else -1
        if index not in self.values:
            raise self.refuse(op, f"its operand {at} is computed while it runs", ELSEWHERE)
        return self.values[index]

    def single(self, op: Operator, at: int) -> float:
        """A constant operand that is one number: its real value."""
        self.number(op, at)
        found = np.ravel(self.floats(op.inputs[at]))
        if found.size != 1:
            raise self.damaged(op, f"its operand {at} is {found.size} numbers")
        return float(found[0])

    def floats(self, index: int) -> NDArray[np.float32]:
        """The real values of a constant, in the file's order of axes."""
        tensor, values = self.tensor(index), self.values[index]
        if tensor.affine is None or values.dtype.kind == "f":
            with np.errstate(over="ignore"):
                return np.asarray(values, dtype=np.float32)
        scales, zeros = (
            _along(item, values.ndim, tensor.affine) for item in (tensor.affine.scales, tensor.affine.zeros)
        )
        steps = values.astype(np.int32) - zeros if np.any(zeros) else values
        real: NDArray[np.float32] = np.multiply(steps, scales, dtype=np.float32)
        return real

    def emit(self, kind: str, inputs: Iterable[str], name: str, **attributes: Any) -> str:
        """Write a node; its result's name, which is made unique."""
        unique = self.fresh(name)
        self.nodes.append(helper.make_node(kind, list(inputs), [unique], name=unique, **attributes))
        return unique

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Keep a constant in the graph's own order of axes."""
        kept = self.model.graph.initializer.add()
        kept.name = self.fresh(name)
        kept.data_type = helper.np_dtype_to_tensor_dtype(value.dtype.newbyteorder("="))
        kept.dims.extend(value.shape)
        kept.raw_data = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).tobytes()
        return str(kept.name)

    def held(self, value: Any, kind: type = np.float32) -> str:
        """A scalar or a short list, kept once."""
        made: NDArray[Any] = np.asarray(value, kind)
        key = (made.tobytes(), made.shape, str(made.dtype))
        if key not in self._held:
            self._held[key] = self.constant("constant", made)
        return self._held[key]

    def fresh(self, name: str) -> str:
        """A name that nothing has yet; a tensor's own name is given once."""
        unique = name
        while unique in self._taken:
            self._numbers[name] = number = self._numbers.get(name, 1) + 1
            unique = f"{name}_{number}"
        self._taken.add(unique)
        return unique

    def result(self, op: Operator, at: int = 0) -> str:
        """The name for what an operator computes, free for it to take."""
        name = self.tensor(op.outputs[at]).name
        self._taken.discard(name)
        return name

    def own_name(self, index: int) -> str:
        """A tensor's name in the file, free to take where no node has it."""
        name = self.tensor(index).name
        if not any(name in node.output for node in self.nodes):
            self._taken.discard(name)
        return name

    def finish(self, op: Operator, source: str, shape: Sequence[int], at: int = 0) -> None:
        """Let a name in the graph be an operator's result: activation, bytes, shape.

        Args:
            op: The operator.
            source: The real values before a fused activation.
            shape: In the file's order of axes.
            at: Which of its results.
        """
        index = op.outputs[at]
        tensor = self.tensor(index)
        self._settle_shape(op, tensor, tuple(int(side) for side in shape))
        source = self.activated(op, source)
        if tensor.kind in BYTES and tensor.affine is not None:
            source = self._quantized(op, tensor, source)
        elif tensor.kind != "FLOAT32" and not self.is_wide(index):
            raise self.refuse(op, f"it computes {tensor.kind} numbers while it runs", ELSEWHERE)
        self._real[index] = source

    def alias(self, op: Operator, shape: Sequence[int]) -> None:
        """Let an operator that changes no real value give what it reads."""
        self._settle_shape(op, self.tensor(op.outputs[0]), tuple(shape))
        self._real[op.outputs[0]] = self.real(op.inputs[0])

    def enter(self, tensor: Tensor, shape: tuple[int, ...], name: str) -> None:
        """Note the input."""
        self._shapes[tensor.index], self._real[tensor.index] = shape, name

    def activated(self, op: Operator, source: str) -> str:
        """A result behind the activation that was fused into its operator."""
        number = int(op.options.get("FusedActivationFunction", 0))
        kinds = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH")
        kind = kinds[number] if 0 <= number < len(kinds) else "SIGN_BIT"
        if kind == "NONE":
            return source
        if kind == "RELU":
            return self.emit("Relu", [source], f"{source}/relu")
        if kind not in LIMITS:
            raise self.refuse(op, f"the fused activation {kind}, which LiteRT leaves out", ELSEWHERE)
        return self.clipped(source, *LIMITS[kind], f"{source}/{kind.lower()}")

    def clipped(self, source: str, low: float, high: float, name: str) -> str:
        """A result kept within bounds."""
        return self.emit("Clip", [source, self.held(low), self.held(high)], name)

    def reshaped(self, source: str, shape: Sequence[int], wanted: Sequence[int], name: str) -> str:
        """The same numbers, in the file's order, in another shape of the file."""
        if tuple(shape) == tuple(wanted):
            return source
        if not keeps_order(shape):
            source = self.emit("Transpose", [source], f"{name}/rows", perm=TO_FILE)
        if keeps_order(wanted):
            return self.emit("Reshape", [source, self.held(graph_shape(wanted), np.int64)], name)
        rows = self.emit("Reshape", [source, self.held(wanted, np.int64)], f"{name}/pixels")
        return self.emit("Transpose", [rows], name, perm=TO_GRAPH)

    def zero_point(self, tensor: Tensor) -> str:
        """The zero point of a tensor of bytes, of their type."""
        kind, zero = BYTES[tensor.kind], int(tensor.affine.zeros[0]) if tensor.affine is not None else 0
        if not np.iinfo(kind).min <= zero <= np.iinfo(kind).max:
            raise ModelError(f"{self.where}: damaged ({tensor.name!r} has the zero point {zero})", AGAIN)
        return self.held(zero, kind)

    def weights(self, index: int, values: NDArray[Any], axis: int, whole: bool) -> str:
        """Weights in the graph's own order of axes: float, or bytes behind a DequantizeLinear.

        Args:
            index: The tensor that they are.
            values: Its numbers: as they are stored where ``whole``, else real ones.
            axis: Along which its scales stand, where it has several.
            whole: Whether the layer computes with bytes.
        """
        tensor = self.tensor(index)
        name = tensor.name
        if not whole or tensor.affine is None:
            return self.constant(f"{name}/weights", np.asarray(values, np.float32))
        zeros = tensor.affine.zeros
        steps = values.astype(np.int16) - _along(
            zeros, values.ndim, Affine(tensor.affine.scales, zeros, axis)
        )
        if np.abs(steps).max(initial=0) <= INT8_LIMIT:
            values, zeros = steps.astype(np.int8), np.zeros(len(zeros), np.int64)
        return self.dequantized(name, values, tensor.affine.scales, zeros, axis)

    def dequantized(
        self,
        name: str,
        values: NDArray[Any],
        scales: NDArray[np.float32],
        zeros: NDArray[np.int64],
        axis: int,
    ) -> str:
        """A constant behind a DequantizeLinear."""
        single = len(scales) == 1
        parts = {
            "scale": np.asarray(scales, np.float32),
            "zero_point": zeros.astype(values.dtype.newbyteorder("=")),
        }
        inputs = [self.constant(f"{name}/integers", values)]
        inputs += [
            self.constant(f"{name}/{key}", part.reshape(()) if single else part)
            for key, part in parts.items()
        ]
        options = {} if single else {"axis": axis}
        return self.emit("DequantizeLinear", inputs, f"{name}/real", **options)

    def refuse(self, op: Operator, reason: str, remedy: str) -> UnsupportedError:
        """The error for an operator; the caller raises it."""
        return UnsupportedError(
            f"{self.where}: {op.code} {self.tensor(op.outputs[0]).name!r}: {reason}", remedy
        )

    def damaged(self, op: Operator, reason: str) -> ModelError:
        """The error for an operator that no converter wrote; the caller raises it."""
        name = self.tensor(op.outputs[0]).name
        return ModelError(f"{self.where}: damaged ({op.code} {name!r}: {reason})", AGAIN)

    def _settle_shape(self, op: Operator, tensor: Tensor, shape: tuple[int, ...]) -> None:
        told = tensor.shape
        fits = len(told) == len(shape) and all(a in (-1, b) for a, b in zip(told, shape, strict=True))
        free = any(-1 in self.tensor(index).shape for index in self.network.inputs)
        if (not fits and not free and told) or min(shape, default=1) < 1 or math.prod(shape) > MOST_NUMBERS:
            raise self.damaged(op, f"its result is {list(shape)}, not {list(told)}")
        self._shapes[tensor.index] = shape

    def _quantized(self, op: Operator, tensor: Tensor, source: str) -> str:
        if tensor.affine is None or len(tensor.affine.scales) > 1:
            raise self.refuse(op, "its result has a scale for each channel", ELSEWHERE)
        parts = [self.held(tensor.affine.scales[0]), self.zero_point(tensor)]
        whole = self.emit("QuantizeLinear", [source, *parts], f"{tensor.name}/{tensor.kind.lower()}")
        return self.emit("DequantizeLinear", [whole, *parts], f"{tensor.name}/real")

    def _constant_tensor(self, index: int) -> str:
        """A constant that is an operand like any other."""
        tensor, values = self.tensor(index), self.values[index]
        order = TO_GRAPH if values.ndim == len(TO_GRAPH) else tuple(range(values.ndim))
        if tensor.kind in BYTES and tensor.affine is not None and len(tensor.affine.scales) == 1:
            return self.weights(index, values.transpose(order), 0, True)
        return self.constant(tensor.name, self.floats(index).transpose(order))


def _along(values: NDArray[Any], rank: int, affine: Affine) -> NDArray[Any]:
    """Numbers along the axis of the scales, to compute with a tensor of that rank."""
    return values.reshape([-1 if axis == affine.axis and len(values) > 1 else 1 for axis in range(rank)])
