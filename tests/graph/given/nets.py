"""Small quantized networks as other tools write them: the scales are drawn, nothing of edgenet makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgenet.graph.evaluate import Evaluator
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.verify.reference import Reference

SIDE = 12
CLASSES = 6


@dataclass(frozen=True)
class Style:
    """How a tool writes Q/DQ."""

    activations: str = "uint8"
    symmetric: bool = False  # activations
    weights: str = "int8"  # "uint8": zero point 128; "asymmetric": uint8 with another one
    per_channel: bool = True
    fake: bool = False  # float weights behind QuantizeLinear → DequantizeLinear, as training leaves them
    bias: str = "int32"  # "float", "none"
    dense: str = "gemm"  # "matmul", "conv", "untransposed"
    nhwc: bool = False
    color: str = "rgb"
    mean: float = 127.5
    std: float = 127.5
    input_scale: float = 2 / 255
    softmax: bool = False
    dedicated: bool = False  # a Q/DQ pair for each reader
    limits: tuple[float, float] = (0.0, 6.0)  # of the first activation
    pooled_relu: bool = False  # an activation that no runtime fuses
    seed: int = 0


class Quantized:
    """Writes the graph; every method gives the name of a float tensor."""

    def __init__(self, style: Style) -> None:
        self.style, self.rng = style, np.random.default_rng(style.seed)
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.scales: dict[str, float] = {}

    def constant(self, value: Any, name: str = "c") -> str:
        name = f"{name}{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, op: str, *inputs: str, **options: Any) -> str:
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **options))
        return name

    def pair(self, source: str, scale: float, low: float) -> str:
        """Quantize and dequantize; ``low`` is where an asymmetric range begins, in real units."""
        signed = self.style.activations == "int8"
        zero = round(-low / scale) - (128 if signed else 0)
        if self.style.symmetric:
            scale = max(-low, low + 255 * scale) / 127
            zero = 0 if signed else 128
        kind = np.int8 if signed else np.uint8
        zero = int(np.clip(zero, np.iinfo(kind).min, np.iinfo(kind).max))
        parts = [self.constant(np.float32(scale)), self.constant(kind(zero))]
        whole = self.node("QuantizeLinear", source, *parts)
        self.scales[real := self.node("DequantizeLinear", whole, *parts)] = float(np.float32(scale))
        return real

    def kernel(self, shape: tuple[int, ...], axis: int, gain: float) -> tuple[str, np.ndarray]:
        """Weights behind DequantizeLinear, and their scales."""
        style = self.style
        fan = np.prod(shape) / shape[axis]
        real = self.rng.normal(0, gain / np.sqrt(fan), shape).astype(np.float32)
        others = tuple(index for index in range(len(shape)) if index != axis)
        largest = np.abs(real).max(axis=others) if style.per_channel else np.abs(real).max()
        scales = np.asarray(largest / np.float32(127), np.float32)
        zeros = {"int8": 0, "uint8": 128, "asymmetric": 121}[style.weights]
        kind = np.int8 if style.weights == "int8" else np.uint8
        zero = np.full(scales.shape, zeros, kind)
        parts = [self.constant(scales), self.constant(zero)]
        along = {"axis": axis} if scales.ndim else {}
        if style.fake:
            source = self.node("QuantizeLinear", self.constant(real, "w"), *parts, **along)
        else:
            wide = scales.reshape([-1 if index == axis else 1 for index in range(len(shape))])
            steps = np.clip(np.rint(real / wide) + zeros, np.iinfo(kind).min, np.iinfo(kind).max)
            source = self.constant(steps.astype(kind), "w")
        return self.node("DequantizeLinear", source, *parts, **along), scales

    def bias(self, source: str, scales: np.ndarray, count: int) -> list[str]:
        real = self.rng.normal(0, 0.2, count).astype(np.float32)
        if self.style.bias == "none":
            return []
        if self.style.bias == "float":
            return [self.constant(real, "b")]
        product = np.asarray(scales * np.float32(self.scales[source]), np.float32)
        steps = np.rint(real / product).astype(np.int32)
        parts = [self.constant(product), self.constant(np.zeros(product.shape, np.int32))]
        along = {"axis": 0} if product.ndim else {}
        return [self.node("DequantizeLinear", self.constant(steps, "b"), *parts, **along)]

    def conv(self, source: str, inputs: int, outputs: int, size: int = 3, group: int = 1, **how: Any) -> str:
        """A convolution of any step; ``source`` is dequantized."""
        kernel, scales = self.kernel((outputs, inputs // group, size, size), 0, 1.5)
        bias = self.bias(source, scales, outputs)
        return self.node("Conv", source, kernel, *bias, group=group, kernel_shape=[size, size], **how)

    def dense(self, source: str, inputs: int, outputs: int) -> str:
        kind = self.style.dense
        if kind == "gemm":
            kernel, scales = self.kernel((outputs, inputs), 0, 2.0)
            return self.node("Gemm", source, kernel, *self.bias(source, scales, outputs), transB=1)
        kernel, scales = self.kernel((inputs, outputs), 1, 2.0)
        if kind == "untransposed":
            return self.node("Gemm", source, kernel, *self.bias(source, scales, outputs))
        product = self.node("MatMul", source, kernel)
        bias = self.bias(source, scales, outputs)
        return self.node("Add", product, *bias) if bias else product


def network(style: Style, opset: int = 13) -> Model:
    """Convolutions, a depthwise one, a residual sum, a pool and a dense layer, quantized in a style."""
    net = Quantized(style)
    top = "input"
    low = -style.mean / style.std
    if style.nhwc:
        top = net.node("Transpose", net.pair(top, style.input_scale, low), perm=[0, 3, 1, 2])
    top = net.pair(top, style.input_scale, low)
    limits = [net.constant(np.float32(value)) for value in style.limits]
    top = net.node("Clip", net.conv(top, 3, 8, strides=[2, 2], pads=[1, 1, 1, 1]), *limits)
    top = net.pair(top, 6 / 255, min(style.limits[0], 0.0))
    deep = net.node("Relu", net.conv(top, 8, 8, group=8, pads=[1, 1, 1, 1]))
    deep = net.pair(deep, 0.0213, 0.0)
    deep = net.pair(net.conv(deep, 8, 8, 1), 0.0307, -3.7)
    if style.dedicated:
        net.pair(net.nodes[-2].input[0], 0.0307, -3.7)
        deep = net.nodes[-1].output[0]
    top = net.pair(net.node("Add", top, deep), 0.0411, -3.7)
    top = net.pair(net.node("Relu", net.conv(top, 8, 12, 1)), 0.0293, 0.0)
    top = net.node("GlobalAveragePool", top)
    top = net.pair(net.node("Relu", top) if style.pooled_relu else top, 0.0103, 0.0)
    if style.dense == "conv":
        top = net.pair(net.conv(top, 12, CLASSES, 1), 0.0311, -3.5)
        top = net.node("Flatten", top)
    else:
        top = net.pair(net.node("Flatten", top), 0.0103, 0.0)
        top = net.pair(net.dense(top, 12, CLASSES), 0.0311, -3.5)
    if style.softmax:
        top = net.pair(net.node("Softmax", top, axis=1), 1 / 256, 0.0)
    net.nodes[-1].output[0] = "scores"
    shape = [1, SIDE, SIDE, 3] if style.nhwc else [1, 3, SIDE, SIDE]
    return finished(net, style, shape, CLASSES, opset)


def finished(net: Quantized, style: Style, shape: list[int], classes: int, opset: int = 13) -> Model:
    """The model from ``input`` to ``scores``."""
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)]
        for name, dims in (("input", shape), ("scores", [1, classes]))
    ]
    graph = helper.make_graph(net.nodes, "given", *ends, net.weights)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(proto, full_check=True)
    return model(proto, style)


def model(proto: onnx.ModelProto, style: Style) -> Model:
    """The graph with its preprocessing."""
    how = Preprocessing(
        (SIDE, SIDE), style.color, "none", None, "bilinear", (style.mean,) * 3, (style.std,) * 3
    )
    output = "probabilities" if style.softmax else "logits"
    return Model("given", proto, how, output, 0, (), "0" * 64, precision="int8")


def pictures(count: int, seed: int = 5, side: int = SIDE) -> list[np.ndarray]:
    """Random pixels with every byte in them."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (1, side, side, 3), dtype=np.uint8) for _ in range(count)]


def simulated(given: Model, shown: list[np.ndarray]) -> np.ndarray:
    """What the user's own graph gives, each node in float."""
    reference = Reference(given.proto, given.preprocessing, given.task)
    return np.stack([reference.run(item) for item in shown])


def canonical(taken: Model, shown: list[np.ndarray]) -> np.ndarray:
    """The same of the canonical form."""
    run = Evaluator(taken.proto, optimize=False)
    return np.stack([run.row(item) for item in shown])
