"""An ONNX graph that grows layer by layer from one square image: what the MobileNets have in common.

Where the papers are silent the graphs follow TensorFlow's own ``slim/nets``: SAME padding, batch
normalization with epsilon 1e-3 after every convolution without a bias, and depths that are multiples of 8.

Names of weights::

    NAME/kernel                         float32 [out, in / groups, height, width]
    NAME/bn/{gamma,beta,mean,variance}  float32 [out]
    NAME/bias                           float32 [out], in place of the batch normalization
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgenet.errors import ModelError

__all__ = ["BN_EPSILON", "Network", "rounded_depth", "same_padding", "width_multiplier"]

BN_EPSILON = 1e-3
IR_VERSION = 8
RESOLUTIONS = range(32, 1025)
MAX_ALPHA = 4.0
LIMITS = {"relu6/min": np.array(0.0, np.float32), "relu6/max": np.array(6.0, np.float32)}
RECTIFIERS = {"relu": "Relu", "relu6": "Clip", "hswish": "HardSwish"}


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Pixels TensorFlow's SAME adds before and after an axis: the odd one goes after.

    Source: TensorFlow ``tf.nn.convolution``, "padding"; at stride 2 a 3x3 kernel gets (0, 1) on an
    even size and (1, 1) on an odd one.
    """
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def rounded_depth(depth: float) -> int:
    """The multiple of 8 nearest to a scaled depth, never less than 90 % of it and never less than 8.

    Source: ``_make_divisible`` in slim's ``nets/mobilenet/mobilenet.py``.
    """
    rounded = max(8, int(depth + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * depth else rounded


def width_multiplier(alpha: float, examples: str) -> float:
    """``alpha`` itself.

    Raises:
        ModelError: It is not in (0, 4].
    """
    if not (math.isfinite(alpha) and 0.0 < alpha <= MAX_ALPHA):
        raise ModelError(f"width multiplier {alpha} is not in (0, {MAX_ALPHA:g}]", examples)
    return alpha


class Network:
    """A network under construction; every method adds one thing and returns the tensor it makes.

    Attributes:
        shapes: Name and shape of every weight so far, in graph order.

    Args:
        resolution: Height and width of the input in pixels, 32 to 1024.

    Raises:
        ModelError: The resolution is out of range.
    """

    def __init__(self, resolution: int) -> None:
        if resolution not in RESOLUTIONS:
            raise ModelError(
                f"resolution {resolution} is not an integer from {RESOLUTIONS[0]} to {RESOLUTIONS[-1]}",
                "the papers use 96, 128, 160, 192 and 224",
            )
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._nodes: list[NodeProto] = []
        self._outputs: dict[str, list[int]] = {}
        self._constants: dict[str, np.ndarray] = {}
        self._depths, self._sizes = {"input": 3}, {"input": resolution}
        self._linear = {"input"}

    def __contains__(self, name: str) -> bool:
        return name in self._depths

    def depth(self, source: str) -> int:
        """Channels of a tensor."""
        return self._depths[source]

    def size(self, source: str) -> int:
        """Height and width of a tensor."""
        return self._sizes[source]

    def convolution(
        self,
        name: str,
        source: str,
        depth: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        depthwise: bool = False,
        activation: str = "",
    ) -> str:
        """A convolution with batch normalization and an activation: "", relu, relu6 or hswish."""
        size, channels = self._sizes[source], self._depths[source]
        before, after = same_padding(size, kernel, stride)
        self.shapes[f"{name}/kernel"] = (depth, 1 if depthwise else channels, kernel, kernel)
        out = self._node(
            "Conv",
            [source, f"{name}/kernel"],
            f"{name}/conv",
            depth,
            math.ceil(size / stride),
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[before, before, after, after],
            group=channels if depthwise else 1,
        )
        return self._activated(name, self._normalized(name, out), activation)

    def dense(self, name: str, source: str, depth: int, activation: str = "") -> str:
        """A 1x1 convolution with a bias and an activation."""
        self.shapes[f"{name}/kernel"] = (depth, self._depths[source], 1, 1)
        self.shapes[f"{name}/bias"] = (depth,)
        inputs = [source, f"{name}/kernel", f"{name}/bias"]
        out = self._node("Conv", inputs, f"{name}/conv", depth, kernel_shape=[1, 1])
        return self._activated(name, out, activation)

    def squeeze_excite(self, name: str, source: str, depth: int) -> str:
        """Hu et al., arXiv 1709.01507, as in V3: pool, two 1x1 convolutions, hard-sigmoid, multiply."""
        squeezed = self.pool(f"{name}/pool", source)
        squeezed = self.dense(f"{name}/squeeze", squeezed, depth, "relu")
        excited = self.dense(f"{name}/excite", squeezed, self.depth(source))
        gate = self._node("HardSigmoid", [excited], f"{name}/gate", alpha=1 / 6, beta=0.5)
        return self._node("Mul", [source, gate], f"{name}/scaled")

    def add(self, name: str, first: str, second: str) -> str:
        """The sum of two tensors of one shape."""
        return self._node("Add", [first, second], name)

    def pool(self, name: str, source: str) -> str:
        """The mean over all pixels."""
        return self._node("GlobalAveragePool", [source], name, size=1, linear=source in self._linear)

    def logits(self, source: str) -> None:
        """The output ``logits`` [1, classes]: a tensor [1, classes, 1, 1] without its two last axes."""
        flatten = helper.make_node("Flatten", [source], ["logits"], name="flatten", axis=1)
        self._nodes.append(flatten)
        self._outputs["logits"] = [1, self._depths[source]]

    def rows(self, name: str, sources: Sequence[str], columns: int, activation: str = "") -> None:
        """An output [1, rows, columns] of maps [1, columns of some rows, size, size], one map after another.

        A map's rows go by its pixels, row by row, those of one pixel side by side. The activation is "",
        softmax (over a row's columns) or sigmoid.
        """
        parts = []
        for source in sources:
            pixels = self._node("Transpose", [source], f"{source}/pixels", perm=[0, 2, 3, 1])
            shape = f"{source}/shape"
            self._constants[shape] = np.array([1, self._rows(source, columns), columns], np.int64)
            parts.append(self._node("Reshape", [pixels, shape], f"{source}/rows"))
        last = name if not activation else f"{name}/all"
        self._node("Concat", parts, last, axis=1)
        if activation == "softmax":
            self._node("Softmax", [last], name, axis=2)
        elif activation == "sigmoid":
            self._node("Sigmoid", [last], name)
        self._outputs[name] = [1, sum(self._rows(source, columns) for source in sources), columns]

    def model(
        self, title: str, weights: Mapping[str, np.ndarray] | None, seed: int, opset: int
    ) -> onnx.ModelProto:
        """The checked model: from ``input`` to all outputs, :meth:`logits` or :meth:`rows`.

        Args:
            title: Name of the graph.
            weights: Every array that ``shapes`` names, converted to float32; ``None`` draws them.
            seed: Of the drawn kernels.
            opset: Of the operators.

        Raises:
            ModelError: A weight is missing, unknown or of another shape.
        """
        arrays = self._drawn(seed) if weights is None else _checked(weights, self.shapes)
        resolution = self._sizes["input"]
        if any("relu6/min" in node.input for node in self._nodes):
            arrays |= LIMITS
        graph = helper.make_graph(
            self._nodes,
            title,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, resolution, resolution])],
            [helper.make_tensor_value_info(*item) for item in self._typed()],
            [
                numpy_helper.from_array(np.asarray(array), name)
                for name, array in (arrays | self._constants).items()
            ],
        )
        imports = [helper.make_opsetid("", opset)]
        model = helper.make_model(graph, opset_imports=imports, producer_name="edgenet")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return model

    def _typed(self) -> list[tuple[str, int, list[int]]]:
        return [(name, TensorProto.FLOAT, shape) for name, shape in self._outputs.items()]

    def _rows(self, source: str, columns: int) -> int:
        return self._depths[source] * self._sizes[source] ** 2 // columns

    def _activated(self, name: str, source: str, kind: str) -> str:
        if not kind:
            return source
        bounds = list(LIMITS) if kind == "relu6" else []
        return self._node(RECTIFIERS[kind], [source, *bounds], f"{name}/{kind}", linear=False)

    def _normalized(self, name: str, source: str) -> str:
        moments = [f"{name}/bn/{moment}" for moment in ("gamma", "beta", "mean", "variance")]
        self.shapes |= dict.fromkeys(moments, (self._depths[source],))
        return self._node("BatchNormalization", [source, *moments], f"{name}/bn", epsilon=BN_EPSILON)

    def _node(
        self,
        kind: str,
        inputs: list[str],
        name: str,
        depth: int | None = None,
        size: int | None = None,
        linear: bool = True,
        **attributes: Any,
    ) -> str:
        self._nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        self._depths[name] = self._depths[inputs[0]] if depth is None else depth
        self._sizes[name] = self._sizes[inputs[0]] if size is None else size
        if linear:
            self._linear.add(name)
        return name

    def _drawn(self, seed: int) -> dict[str, np.ndarray]:
        """Normal kernels: variance 2 / fan-in behind a rectifier (He et al., arXiv 1502.01852), else half."""
        random = np.random.default_rng(seed)
        sources = {node.input[1]: node.input[0] for node in self._nodes if node.op_type == "Conv"}
        arrays = {}
        for name, shape in self.shapes.items():
            if name.endswith("kernel"):
                gain = 1.0 if sources[name] in self._linear - {"input"} else 2.0
                kernel = random.standard_normal(shape) * math.sqrt(gain / math.prod(shape[1:]))
                arrays[name] = kernel.astype(np.float32)
            else:
                arrays[name] = np.full(shape, name.endswith(("gamma", "variance")), np.float32)
        return arrays


def _checked(
    weights: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    remedy = "weight_shapes beside the builder lists every name and shape"
    if missing := [name for name in shapes if name not in weights]:
        raise ModelError(f"{len(missing)} weights are missing, the first is {missing[0]}", remedy)
    if extra := sorted(set(weights) - set(shapes)):
        raise ModelError(f"{len(extra)} weights belong to no layer, the first is {extra[0]}", remedy)
    for name, shape in shapes.items():
        if np.shape(weights[name]) != shape:
            raise ModelError(f"{name} has shape {list(np.shape(weights[name]))}, not {list(shape)}", remedy)
    return {name: np.ascontiguousarray(weights[name], np.float32) for name in shapes}
