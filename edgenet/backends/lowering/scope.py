"""What an operator's lowering works with: the graph it reads and the file it writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from edgenet.backends.lowering.file import Operator, Quantization, Tensor, TfliteFile
from edgenet.errors import UnsupportedError
from edgenet.graph.graph import Graph

__all__ = ["ELSEWHERE", "IMAGE_RANK", "Favored", "Scope", "nhwc"]

# Versions of tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc: the lowest that has the feature,
# so that old runtimes load the file. Operators that are not named stay at 1.
VERSIONS = {
    "int16": {"CONV_2D": 4, "DEPTHWISE_CONV_2D": 5, "QUANTIZE": 2},
    "int8": {
        "ADD": 2,
        "AVERAGE_POOL_2D": 2,
        "CONCATENATION": 2,
        "CONV_2D": 3,
        "DEPTHWISE_CONV_2D": 3,
        "FULLY_CONNECTED": 4,
        "MAXIMUM": 2,
        "MAX_POOL_2D": 2,
        "MEAN": 2,
        "MINIMUM": 2,
        "MUL": 2,
        "PAD": 2,
        "PADV2": 2,
        "REDUCE_MAX": 2,
        "RELU": 2,
        "RELU6": 2,
        "RESIZE_BILINEAR": 2,
        "RESIZE_NEAREST_NEIGHBOR": 2,
        "SLICE": 2,
        "SOFTMAX": 2,
    },
}
IMAGE_RANK = 4
# What can be done where TFLite has no words for what a trained network computes.
ELSEWHERE = "choose --backend onnxruntime, which runs it"
LARGEST_HALF = float(np.finfo(np.float16).max)


def nhwc(shape: Sequence[int]) -> tuple[int, ...]:
    """An NCHW shape as NHWC; a shape of another rank as it is."""
    if len(shape) != IMAGE_RANK:
        return tuple(shape)
    batch, channels, height, width = shape
    return batch, height, width, channels


@dataclass(frozen=True)
class Favored:
    """Which writings the target's kernels are faster in; without one, the graph's own.

    Attributes:
        by_float: uint8 becomes int8 by way of float32.
        blocks: An int8 depthwise kernel, large or with a multiplier, is one of more channels a group.
        pieces: So is a float one with a multiplier; a large one is several smaller ones.
    """

    by_float: bool = False
    blocks: bool = False
    pieces: bool = False


class Scope:
    """The graph being lowered and the file so far.

    Every ONNX tensor of rank 4 is NCHW and becomes NHWC; other ranks keep their order. The model's own
    input is NHWC from the beginning.

    Attributes:
        graph: The graph, without Q/DQ (see :mod:`edgenet.backends.lowering.qdq`).
        file: The file being written.
        quantization: Tensor name → its quantization; a tensor without an entry is float.
        half: Whether float weights are stored in half precision.
        favored: Which writings are faster on the target.
        unsigned: Whether the file will be uint8 throughout, its kernels with one scale each.
        fused: Output names of nodes that an earlier operator does as well.
    """

    def __init__(
        self,
        graph: Graph,
        quantization: dict[str, Quantization],
        half: bool,
        favored: Favored,
        unsigned: bool,
    ) -> None:
        self.graph = graph
        self.quantization = quantization
        self.half = half
        self.favored = favored
        self.unsigned = unsigned
        self.file = TfliteFile("edgenet")
        self.fused: set[str] = set()
        self._indices: dict[str, int] = {}

    def input(self, node: NodeProto, name: str) -> int:
        """Index of an activation that an earlier operator wrote.

        Raises:
            UnsupportedError: It is a constant, where only an activation can be read.
        """
        if name not in self._indices:
            raise self.refuse(node, f"its input {name!r} is a constant", "fold it into the weights")
        return self._indices[name]

    def is_whole(self, node: NodeProto) -> bool:
        """Whether a node computes in integers: its first input is an integer tensor."""
        return self.tensor(self.input(node, node.input[0])).quantization is not None

    def output(self, node: NodeProto, name: str, shape: Sequence[int] | None = None) -> int:
        """Index of a new activation; ``shape`` is in the file's layout, default the graph's in NHWC.

        Raises:
            UnsupportedError: The shape is not static.
        """
        shape = nhwc(self.graph.shape(name)) if shape is None else tuple(shape)
        if not shape or not all(shape):
            raise self.refuse(node, f"the shape of {name!r} is not known", "export with static shapes")
        quantization = self.quantization.get(name)
        dtype = quantization.dtype if quantization else "float32"
        self._indices[name] = self.file.add(Tensor(name, shape, dtype, quantization))
        return self._indices[name]

    def alias(self, name: str, index: int) -> None:
        """Let an ONNX tensor be one that the file already has."""
        self._indices[name] = index

    def tensor(self, index: int) -> Tensor:
        """A tensor of the file."""
        return self.file.tensors[index]

    def like(self, index: int, name: str, shape: Sequence[int]) -> int:
        """A new activation of the type and quantization of another one; ``shape`` in the file's layout."""
        model = self.tensor(index)
        return self.file.add(Tensor(name, tuple(shape), model.dtype, model.quantization))

    def constant(self, name: str, value: NDArray[Any], quantization: Quantization | None = None) -> int:
        """Index of a constant in the file's own layout."""
        return self.file.add(Tensor(name, value.shape, str(value.dtype), quantization, value))

    def real_weights(self, node: NodeProto, name: str, value: NDArray[Any]) -> int:
        """Index of float weights; with ``half`` they are float16 behind a DEQUANTIZE, as the runtimes expect.

        Raises:
            UnsupportedError: One is too large for float16.
        """
        if not self.half:
            return self.constant(name, value)
        if np.abs(value).max(initial=0) > LARGEST_HALF:
            raise self.refuse(node, "a weight is beyond float16's 65504", "choose --precision fp32 or int8")
        stored = self.constant(f"{name}/half", value.astype(np.float16))
        real = self.file.add(Tensor(name, value.shape, "float32"))
        self.emit("DEQUANTIZE", (stored,), real, version=3)
        return real

    def emit(
        self,
        code: str,
        inputs: Iterable[int],
        output: int,
        options: tuple[str, dict[str, Any]] | None = None,
        version: int = 1,
    ) -> None:
        """Write an operator; ``version`` is that of the float form, integers raise it where needed."""
        version = max(version, VERSIONS.get(self.tensor(output).dtype, {}).get(code, 1))
        self.file.operators.append(Operator(code, version, tuple(inputs), (output,), options))

    def weights(self, node: NodeProto, position: int) -> NDArray[Any]:
        """A constant operand as the graph has it.

        Raises:
            UnsupportedError: It is computed while the model runs.
        """
        value = self.graph.constant(node.input[position])
        if value is None:
            raise self.refuse(
                node, f"operand {position} is computed at run time", "export with constant weights"
            )
        if value.dtype == np.float64:
            raise self.refuse(node, "its weights are float64", "export the model in float32")
        return value

    def refuse(self, node: NodeProto, reason: str, remedy: str) -> UnsupportedError:
        """The error for a node that cannot be written; the caller raises it."""
        name = node.name or node.output[0]
        return UnsupportedError(f"tflite: {node.op_type} {name!r}: {reason}", remedy)
