"""An ONNX graph under construction, in NCHW, from layers that count their axes as Keras does, in NHWC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgenet.errors import ModelError

__all__ = ["Tensor", "Writer"]

OPSET, IR_VERSION = 13, 8
MAX_SIDE, MAX_SIZE = 1 << 20, 1 << 28
MAX_NODES, MAX_BYTES = 50_000, 1 << 30
DOMAIN = "keras"
TO_NCHW, TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


class Tensor(NamedTuple):
    """A tensor of the graph.

    Attributes:
        name: In the graph.
        shape: As Keras counts it, without the batch: (height, width, channels), (classes,) ….
    """

    name: str
    shape: tuple[int, ...]

    @property
    def is_map(self) -> bool:
        """Whether it has height, width and channels, and so another order of axes in ONNX."""
        return len(self.shape) == 3


class Writer:
    """The graph.

    Args:
        where: The file, for messages.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self._nodes: list[NodeProto] = []
        self._weights: dict[str, TensorProto] = {}
        self._inputs: list[Tensor] = []
        self._unread: list[str] = []
        self._names: set[str] = set()
        self._bytes = 0

    def named(self, *wanted: str) -> str:
        """The first of these names that is still free, else the last with a number; taken from now on."""
        name = next((name for name in wanted if name not in self._names), wanted[-1])
        number = 2
        while name in self._names:
            name, number = f"{wanted[-1]}_{number}", number + 1
        self._names.add(name)
        return name

    def input(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """An input of the network."""
        self._inputs.append(Tensor(name, self._checked(name, shape)))
        return self._inputs[-1]

    def node(
        self, kind: str, inputs: Sequence[Tensor | str], name: str, shape: Sequence[int], **attributes: Any
    ) -> Tensor:
        """An operator with one output, called as the operator is; the name is one of :meth:`named`."""
        if len(self._nodes) >= MAX_NODES:
            raise self._too_large(f"more than {MAX_NODES} operators")
        names = [item if isinstance(item, str) else item.name for item in inputs]
        self._nodes.append(helper.make_node(kind, names, [name], name=name, **attributes))
        return Tensor(name, self._checked(name, shape))

    def unread(self, kind: str, name: str) -> Tensor:
        """An output that is the same for every picture, of a layer that is not read: a node of no runtime."""
        self._nodes.append(helper.make_node(kind, [], [name], name=name, domain=DOMAIN))
        self._unread.append(name)
        return Tensor(name, ())

    def weight(self, name: str, values: NDArray[Any]) -> str:
        """A constant; a second one of the same name is the same."""
        if name not in self._weights:
            self._bytes += values.nbytes
            if self._bytes > MAX_BYTES:
                raise self._too_large(f"weights of more than {MAX_BYTES >> 30} GiB")
            self._weights[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def reshaped(self, source: Tensor, shape: Sequence[int], name: str) -> Tensor:
        """The same numbers, in Keras' order of them, with other axes."""
        flat, wanted = self._channels_last(source, name), Tensor("", tuple(shape))
        moves = wanted.is_map and _is_spread(wanted.shape)
        last = self.named(f"{name}/nhwc") if moves else name
        axes = [1, *(shape if moves or not wanted.is_map else (shape[2], *shape[:2]))]
        constant = self.weight(f"{name}/shape", np.array(axes, np.int64))
        made = self.node("Reshape", [flat, constant], last, shape)
        return self.node("Transpose", [made], name, shape, perm=TO_NCHW) if moves else made

    def model(self, title: str, outputs: Sequence[Tensor]) -> onnx.ModelProto:
        """The whole graph."""
        given = self._values(outputs)
        graph = helper.make_graph(self._nodes, title, [_value(item) for item in self._inputs], given)
        for item in self._weights.values():
            graph.initializer.append(item)
        self._weights.clear()
        imports = [helper.make_opsetid("", OPSET)]
        imports += [helper.make_opsetid(DOMAIN, 1)] if self._unread else []
        made = helper.make_model(graph, opset_imports=imports, producer_name="edgenet")
        made.ir_version = IR_VERSION
        return made

    def _values(self, outputs: Sequence[Tensor]) -> list[onnx.ValueInfoProto]:
        """The graph's outputs; a second one of the same tensor is a node of its own."""
        made: list[onnx.ValueInfoProto] = []
        for given in outputs:
            item = given
            if any(item.name == other.name for other in made):
                item = self.node("Identity", [item], self.named(f"{item.name}/again"), item.shape)
            free = helper.make_tensor_value_info(item.name, TensorProto.FLOAT, None)
            made.append(free if item.name in self._unread else _value(item))
        return made

    def _too_large(self, what: str) -> ModelError:
        return ModelError(f"{self.where}: a network with {what}", "give a MobileNet, which is smaller")

    def _channels_last(self, source: Tensor, name: str) -> Tensor:
        """A tensor whose numbers lie as Keras counts them."""
        if not source.is_map or not _is_spread(source.shape):
            return source
        return self.node("Transpose", [source], self.named(f"{name}/transposed"), source.shape, perm=TO_NHWC)

    def _checked(self, name: str, shape: Sequence[int]) -> tuple[int, ...]:
        if not all(1 <= side <= MAX_SIDE for side in shape) or math.prod(shape) > MAX_SIZE:
            shown = "x".join(map(str, shape))
            raise ModelError(
                f"{self.where}: layer {name!r} would give {shown}, which is no picture and no row of numbers",
                "give a network that was built for pictures of the card's size",
            )
        return tuple(shape)


def _is_spread(shape: tuple[int, ...]) -> bool:
    """Whether the order of the axes matters: there are several pixels, and several channels."""
    return shape[0] * shape[1] > 1 and shape[2] > 1


def _value(tensor: Tensor) -> onnx.ValueInfoProto:
    height, width, depth = tensor.shape if tensor.is_map else (0, 0, 0)
    shape = [1, depth, height, width] if tensor.is_map else [1, *tensor.shape]
    return helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, shape)
