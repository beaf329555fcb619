"""Write the integer operators of a user's graph as Q/DQ around float ones; what cannot be is refused by name.

ONNX's own QLinearConv and QLinearMatMul and those of ONNX Runtime's domain ``com.microsoft`` say in one node
what QuantizeLinear, DequantizeLinear and a float operator say in several: which numbers mean what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgenet.errors import ModelError, UnsupportedError

__all__ = ["explicit_qdq"]

ONNX = ("", "ai.onnx")
RUNTIME = "com.microsoft"
DYNAMIC = (
    "ConvInteger", "DynamicQuantizeLSTM", "DynamicQuantizeLinear", "DynamicQuantizeMatMul", "MatMulInteger",
    "MatMulIntegerToFloat",
)  # fmt: skip
# Operators that move integers and compute nothing: their result means what their input means.
MOVING = ("Flatten", "Identity", "MaxPool", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
PER_CHANNEL = 13  # the first opset whose DequantizeLinear has an axis
AGAIN = "give the float model; edgenet computes the scales"


def explicit_qdq(proto: onnx.ModelProto, where: str) -> onnx.ModelProto:
    """A quantized graph in which only QuantizeLinear and DequantizeLinear know of integers.

    Args:
        proto: Any graph; one with nothing to rewrite is returned as it is.
        where: Its name, for messages.

    Raises:
        ModelError: It chooses scales while it runs (dynamic quantization).
        UnsupportedError: An operator computes with integers in a way that Q/DQ does not say.
    """
    writer = _Writer(proto, where)
    for node in proto.graph.node:
        writer.take(node)
    return writer.finished()


# Scale and zero point of a whole tensor by their names, the second "" where it is left out.
Meaning = tuple[str, str]


class _Writer:
    """The new list of nodes, and what every whole tensor means so far."""

    def __init__(self, proto: onnx.ModelProto, where: str) -> None:
        self.proto, self.where = proto, where
        self.nodes: list[NodeProto] = []
        self.made: list[onnx.TensorProto] = []
        self.meaning: dict[str, Meaning] = {}
        self.real: dict[tuple[str, Meaning, int], str] = {}  # what was dequantized, and how
        self.rewritten = False
        self.constants = {item.name: item for item in proto.graph.initializer}
        for node in proto.graph.node:
            if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
                self.constants[node.output[0]] = node.attribute[0].t
        self.taken = {name for node in proto.graph.node for name in (*node.input, *node.output)}
        self.taken |= {item.name for item in (*proto.graph.input, *proto.graph.output)} | set(self.constants)

    def take(self, node: NodeProto) -> None:
        """Write one node of the user's graph."""
        kind = node.op_type
        if kind in DYNAMIC:
            raise ModelError(
                f"{self.where}: {kind} {_label(node)!r} chooses its scales while it runs "
                "(dynamic quantization), and edgenet needs them before",
                "give the float model, and --precision int8-dynamic or int8",
            )
        if kind in ("QuantizeLinear", "DequantizeLinear"):
            self._pair(node)
        elif node.domain in ONNX and kind in MOVING and node.input[0] in self.meaning:
            self._move(node)
        elif (kind, node.domain in ONNX) in OPERATORS:
            OPERATORS[kind, node.domain in ONNX](self, node)
        else:
            self._other(node)

    def finished(self) -> onnx.ModelProto:
        """The model; an output of integers is dequantized."""
        outputs = [self._real_output(item) for item in self.proto.graph.output]
        if not self.rewritten:
            return self.proto
        model = onnx.ModelProto()
        model.CopyFrom(self.proto)
        for field, items in (("node", self.nodes), ("output", outputs)):
            model.graph.ClearField(field)
            getattr(model.graph, field).extend(items)
        model.graph.initializer.extend(self.made)
        return model

    def operator(self, kind: str, node: NodeProto, inputs: Iterable[str], meaning: Meaning) -> None:
        """A float operator and the QuantizeLinear that writes its result as the user's node did."""
        kept = [item for item in node.attribute if item.name not in ("channels_last", "opset")]
        whole = node.output[0]
        name, label = self.fresh(f"{whole}/float"), self.fresh(f"{whole}/quantize")
        made = helper.make_node(kind, list(inputs), [name], name=node.name)
        made.attribute.extend(kept)
        self.nodes.append(made)
        parts = [name, *(item for item in meaning if item)]
        self.nodes.append(helper.make_node("QuantizeLinear", parts, [whole], name=label))
        self.meaning[whole] = meaning
        self.rewritten = True

    def dequantized(self, name: str, meaning: Meaning, axis: int = 0) -> str:
        """The real values of a whole tensor, along an axis where it has several scales."""
        if (name, meaning, axis) in self.real:
            return self.real[name, meaning, axis]
        scale, real = meaning[0], self.fresh(f"{name}/real")
        parts = [name, *(item for item in meaning if item)]
        node = helper.make_node("DequantizeLinear", parts, [real], name=self.fresh(f"{name}/dequantize"))
        if scale in self.constants and numpy_helper.to_array(self.constants[scale]).size > 1:
            self._check_axis(name)
            node.attribute.append(helper.make_attribute("axis", axis))
        self.nodes.append(node)
        self.real[name, meaning, axis] = real
        return real

    def bias(self, node: NodeProto, name: str, scales: tuple[str, str]) -> str:
        """The real values of an int32 bias, whose scale is the product of the input's and the kernel's."""
        steps = [self.value(node, item).astype(np.float32).reshape(-1) for item in scales]
        product = np.asarray(steps[0] * steps[1], np.float32)
        product = product if product.size > 1 else product.reshape(())
        zeros = np.zeros(np.shape(product), np.int32)
        meaning = self.constant(f"{name}/scale", product), self.constant(f"{name}/zero", zeros)
        return self.dequantized(name, meaning)

    def value(self, node: NodeProto, name: str) -> NDArray[Any]:
        """A constant operand.

        Raises:
            UnsupportedError: It is computed while the model runs.
        """
        if name not in self.constants:
            raise self.refuse(node, f"its operand {name!r} is computed while it runs")
        return np.asarray(numpy_helper.to_array(self.constants[name]))

    def constant(self, name: str, value: Any) -> str:
        """Keep a new constant under a name made unique."""
        unique = self.fresh(name)
        self.made.append(numpy_helper.from_array(np.asarray(value), unique))
        self.constants[unique] = self.made[-1]
        return unique

    def fresh(self, name: str) -> str:
        """A name that nothing has yet."""
        unique, number = name, 2
        while unique in self.taken:
            unique, number = f"{name}_{number}", number + 1
        self.taken.add(unique)
        return unique

    def refuse(self, node: NodeProto, reason: str) -> UnsupportedError:
        """The error for a node; the caller raises it."""
        return UnsupportedError(f"{self.where}: {node.op_type} {_label(node)!r}: {reason}", AGAIN)

    def _pair(self, node: NodeProto) -> None:
        """QuantizeLinear and DequantizeLinear stay; ONNX Runtime's own are ONNX's."""
        plain = node
        if node.domain not in ONNX:
            plain = NodeProto()
            plain.CopyFrom(node)
            plain.ClearField("domain")
            self.rewritten = True
        self.nodes.append(plain)
        if node.op_type == "QuantizeLinear":
            self.meaning[node.output[0]] = (node.input[1], node.input[2] if len(node.input) > 2 else "")

    def _move(self, node: NodeProto) -> None:
        meaning = self.meaning[node.input[0]]
        inputs = [self.dequantized(node.input[0], meaning), *node.input[1:]]
        self.operator(node.op_type, node, inputs, meaning)

    def _other(self, node: NodeProto) -> None:
        """A float operator stays; one that reads integers or writes some is none."""
        if node.op_type.startswith(("QLinear", "QGemm", "QAttention", "QEmbed")) or (
            node.domain in ONNX and any(name in self.meaning for name in node.input)
        ):
            raise self.refuse(node, "edgenet cannot write it as QuantizeLinear and DequantizeLinear")
        if node.domain not in ONNX:
            raise self.refuse(node, f"an operator of {node.domain!r}, not of ONNX")
        self.nodes.append(node)

    def _real_output(self, info: onnx.ValueInfoProto) -> onnx.ValueInfoProto:
        if info.name not in self.meaning:
            return info
        real = onnx.ValueInfoProto()
        real.CopyFrom(info)
        self.rewritten = True
        real.name = self.dequantized(info.name, self.meaning[info.name])
        real.type.tensor_type.elem_type = TensorProto.FLOAT
        return real

    def _check_axis(self, name: str) -> None:
        opset = next((item.version for item in self.proto.opset_import if item.domain in ONNX), 0)
        if opset < PER_CHANNEL:
            raise UnsupportedError(
                f"{self.where}: {name!r} has a scale per channel, which opset {opset} cannot dequantize",
                f"export the float model with opset {PER_CHANNEL} and quantize it again",
            )


def _label(node: NodeProto) -> str:
    return str(node.name or node.output[0])


def _meaning(node: NodeProto, at: int) -> Meaning:
    return node.input[at], node.input[at + 1]


def _operand(writer: _Writer, node: NodeProto, at: int, axis: int = 0) -> str:
    """Real values of the operand at an index, behind which its scale and zero point stand."""
    return writer.dequantized(node.input[at], _meaning(node, at + 1), axis)


def _conv(writer: _Writer, node: NodeProto) -> None:
    """QLinearConv: x, its scale and zero point; the same of w and of y; B, int32."""
    inputs = [_operand(writer, node, 0), _operand(writer, node, 3)]
    if len(node.input) > 8 and node.input[8]:
        inputs.append(writer.bias(node, node.input[8], (node.input[1], node.input[4])))
    writer.operator("Conv", node, inputs, _meaning(node, 6))


def _matmul(writer: _Writer, node: NodeProto) -> None:
    """QLinearMatMul: a and b with scale and zero point each, and those of y."""
    inputs = [_operand(writer, node, 0), _operand(writer, node, 3, 1)]
    writer.operator("MatMul", node, inputs, _meaning(node, 6))


def _gemm(writer: _Writer, node: NodeProto) -> None:
    """QGemm: A and B with scale and zero point each, C (int32 or absent), those of Y or a float Y."""
    options = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    axis = 0 if options.get("transB", 0) else 1
    inputs = [_operand(writer, node, 0), _operand(writer, node, 3, axis)]
    if len(node.input) > 6 and node.input[6]:
        if options.get("alpha", 1.0) != 1.0:
            raise writer.refuse(node, "its bias and its product have different scales")
        inputs.append(writer.bias(node, node.input[6], (node.input[1], node.input[4])))
    if len(node.input) > 8 and node.input[7]:
        writer.operator("Gemm", node, inputs, _meaning(node, 7))
        return
    made = helper.make_node("Gemm", inputs, list(node.output), name=node.name)
    made.attribute.extend(node.attribute)
    writer.nodes.append(made)
    writer.rewritten = True


def _binary(kind: str) -> Callable[[_Writer, NodeProto], None]:
    def write(writer: _Writer, node: NodeProto) -> None:
        """A and B with scale and zero point each, and those of C."""
        inputs = [_operand(writer, node, 0), _operand(writer, node, 3)]
        writer.operator(kind, node, inputs, _meaning(node, 6))

    return write


def _unary(kind: str) -> Callable[[_Writer, NodeProto], None]:
    def write(writer: _Writer, node: NodeProto) -> None:
        """X with scale and zero point, and those of Y."""
        if any(item.name == "channels_last" and item.i for item in node.attribute):
            raise writer.refuse(node, "it works on NHWC tensors")
        writer.operator(kind, node, [_operand(writer, node, 0)], _meaning(node, 3))

    return write


def _concat(writer: _Writer, node: NodeProto) -> None:
    """QLinearConcat: scale and zero point of Y, then every input with its own."""
    parts = [_operand(writer, node, index) for index in range(2, len(node.input), 3)]
    writer.operator("Concat", node, parts, _meaning(node, 0))


# (operator, whether it is ONNX's own) → how it is written.
OPERATORS: dict[tuple[str, bool], Callable[[_Writer, NodeProto], None]] = {
    ("QLinearConv", True): _conv,
    ("QLinearMatMul", True): _matmul,
    ("QGemm", False): _gemm,
    ("QLinearConcat", False): _concat,
    **{(f"QLinear{kind}", False): _binary(kind) for kind in ("Add", "Mul")},
    **{
        (f"QLinear{kind}", False): _unary(kind)
        for kind in ("AveragePool", "GlobalAveragePool", "LeakyRelu", "Sigmoid", "Softmax")
    },
}
