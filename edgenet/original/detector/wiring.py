"""Who writes and reads what in a user's graph, and what shapes its tensors have for one picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from edgenet.errors import ModelError
from edgenet.original.shapes import drop_unused_inputs, settle_input
from edgenet.preprocessing import GRAY, Preprocessing

__all__ = ["MOVES", "Wiring", "attribute", "with_batch"]

# Operators that move numbers and round them at most; of several inputs the first is what is moved.
MOVES = (
    "Cast", "DequantizeLinear", "Flatten", "Identity", "QuantizeLinear", "Reshape", "Squeeze", "Transpose",
    "Unsqueeze",
)  # fmt: skip
ONNX = ("", "ai.onnx")
PICTURE_RANK = 3  # without a batch
BEFORE = 8  # nodes before a batch is made
SCALING = ("Add", "Cast", "Div", "Identity", "Mul", "Sub")


class Wiring:
    """A graph, its batch and picture settled in place.

    Args:
        proto: As it was read.
        preprocessing: The card's, for sides that the file leaves free.
        path: For messages.

    Raises:
        ModelError: A node reads what is made behind it, or what is made twice.

    Attributes:
        graph: The graph.
        makers: Tensor → the node that gives it.
        readers: Tensor → the nodes that read it.
        constants: Tensor → what it holds, of weights and Constant nodes.
        outputs: Names of the file's outputs, in their order.
    """

    def __init__(self, proto: onnx.ModelProto, preprocessing: Preprocessing, path: Path) -> None:
        drop_unused_inputs(proto)
        _check_order(proto, path)
        if proto.graph.input:
            settle_input(proto, preprocessing.size, 1 if preprocessing.color == GRAY else 3, path)
        self.graph, self.path, self._proto = proto.graph, path, proto
        self.makers = {name: node for node in proto.graph.node for name in node.output if name}
        self.readers: dict[str, list[NodeProto]] = defaultdict(list)
        for node in proto.graph.node:
            for name in dict.fromkeys(node.input):
                self.readers[name].append(node)
        self.outputs: tuple[str, ...] = tuple(item.name for item in proto.graph.output)
        self._shapes = _shapes(proto)
        self._row = ""
        self._held = {item.name: item for item in proto.graph.initializer}
        self._taken = {*self.makers, *self.readers, *self._held, *(item.name for item in proto.graph.input)}

    def shape(self, name: str) -> tuple[int, ...] | None:
        """A tensor's shape; ``None`` where it is not known."""
        return self._shapes.get(name)

    def constant(self, name: str) -> NDArray[Any] | None:
        """The numbers of a constant, dequantized where it is stored so; ``None`` for any other tensor."""
        if name in self._held:
            return numpy_helper.to_array(self._held[name])
        node = self.makers.get(name)
        if node is not None and node.op_type in ("Identity", "DequantizeLinear"):
            return self._dequantized([self.constant(item) for item in node.input])
        value = attribute(node, "value") if node is not None and node.op_type == "Constant" else None
        return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else None

    def _dequantized(self, parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
        """A constant behind one scale, or behind nothing."""
        values, *rest = parts
        if values is None or any(part is None or part.size != 1 for part in rest):
            return None
        scale, zero = (rest[at].item() if at < len(rest) else 1 - at for at in range(2))  # type: ignore[union-attr]
        return values if not rest else np.multiply(values.astype(np.int64) - zero, scale, dtype=np.float64)

    def has(self, name: str) -> bool:
        """Whether something in the graph gives a tensor."""
        return name in self.makers

    def before(self, names: Iterable[str]) -> list[NodeProto]:
        """All nodes on which some tensors depend, in their order."""
        wanted, found = set(names), []
        for node in reversed(self.graph.node):
            if wanted & set(node.output):
                found.append(node)
                wanted |= {name for name in node.input if name}
        return found[::-1]

    def fresh(self, name: str) -> str:
        """A name that nothing has."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def add(self, kind: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Write a node behind all others; the name of what it gives."""
        unique = self.fresh(name)
        self.graph.node.append(helper.make_node(kind, inputs, [unique], name=unique, **attributes))
        return unique

    def keep(self, name: str, values: NDArray[Any]) -> str:
        """Write a constant; its name."""
        unique = self.fresh(name)
        self.graph.initializer.append(numpy_helper.from_array(values, unique))
        return unique

    def row_shape(self) -> str:
        """The constant shape [1, all], for a Reshape."""
        if not self._row:
            self._row = self.keep("row_shape", np.array([1, -1], np.int64))
        return self._row

    def end_in(self, name: str) -> None:
        """Let the graph have one output and nothing on which that does not depend."""
        kept = self.before([name])
        read = {item for node in kept for item in node.input}
        graph = self.graph
        for field, items in (
            ("node", kept),
            ("initializer", [item for item in graph.initializer if item.name in read]),
            ("input", [item for item in graph.input if item.name in read and item.name not in self._held]),
            ("output", [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, None])]),
        ):
            copies = [type(item).FromString(item.SerializeToString()) for item in items]
            graph.ClearField(field)
            getattr(graph, field).extend(copies)
        graph.ClearField("value_info")
        known = {*ONNX, *(node.domain for node in graph.node)}
        for at in reversed(range(len(self._proto.opset_import))):
            if self._proto.opset_import[at].domain not in known:
                del self._proto.opset_import[at]


def _check_order(proto: onnx.ModelProto, path: Path) -> None:
    """Every node reads what is there already, and makes what is not: following wires comes to an end."""
    made = {name for node in proto.graph.node for name in node.output if name}
    known: set[str] = set()
    for node in proto.graph.node:
        late = next((name for name in node.input if name in made and name not in known), None)
        again = next((name for name in node.output if name in known), None)
        if late is not None or again is not None:
            what = f"reads {late!r} before it is made" if late is not None else f"makes {again!r} again"
            raise ModelError(f"{path}: {node.op_type} {node.name!r} {what}", "export the model again")
        known.update(name for name in node.output if name)


def with_batch(proto: onnx.ModelProto) -> bool:
    """Let a graph that takes one picture without a batch, [3, H, W], take [1, 3, H, W], in place.

    Returns:
        Whether it did; torchvision's detectors take a list of such pictures.
    """
    taken = {item.name for item in proto.graph.initializer}
    given = [item for item in proto.graph.input if item.name not in taken]
    if len(given) != 1 or len(given[0].type.tensor_type.shape.dim) != PICTURE_RANK:
        return False
    entry = given[0]
    sides = [dim.dim_value for dim in entry.type.tensor_type.shape.dim]
    if sides[0] not in (1, 3):
        return False
    if not _batched_inside(proto, entry.name):
        _take_first(proto, entry, sides)
    entry.type.tensor_type.shape.dim.insert(0, onnx.TensorShapeProto.Dimension(dim_value=1))
    return True


def _batched_inside(proto: onnx.ModelProto, entry: str) -> bool:
    """Let the Unsqueeze that makes the batch be nothing, where only arithmetic is before it."""
    held = {item.name for item in proto.graph.initializer}
    held |= {node.output[0] for node in proto.graph.node if node.op_type == "Constant"}
    name = entry
    for _ in range(BEFORE):
        readers = [node for node in proto.graph.node if name in node.input]
        if len(readers) != 1:
            return False
        node = readers[0]
        others = [item for item in node.input if item != name]
        if node.op_type == "Unsqueeze":
            node.CopyFrom(helper.make_node("Identity", [name], node.output, node.name))
            return True
        if node.op_type not in SCALING or not held.issuperset(others):
            return False
        name = node.output[0]
    return False


def _take_first(proto: onnx.ModelProto, entry: onnx.ValueInfoProto, sides: Sequence[int]) -> None:
    """Let the graph read the one picture of a batch, under the name that it had."""
    picture, batch, shape = entry.name, f"{entry.name}/batch", f"{entry.name}/shape"
    wanted = np.array([sides[0], *(side or -1 for side in sides[1:])], np.int64)
    proto.graph.initializer.append(numpy_helper.from_array(wanted, shape))
    proto.graph.node.insert(0, helper.make_node("Reshape", [batch, shape], [picture], name=picture))
    entry.name = batch


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """An attribute of a node."""
    found = next((item for item in node.attribute if item.name == name), None)
    return default if found is None else helper.get_attribute_value(found)


def _shapes(proto: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    try:
        graph = onnx.shape_inference.infer_shapes(proto, data_prop=True).graph
    except (onnx.shape_inference.InferenceError, ValueError, MemoryError):
        graph = proto.graph
    found = {}
    for item in (*graph.value_info, *graph.input, *graph.output):
        kind = item.type.tensor_type
        sides = tuple(dim.dim_value for dim in kind.shape.dim)
        if kind.HasField("shape") and all(sides):
            found[item.name] = sides
    found |= {item.name: tuple(item.dims) for item in proto.graph.initializer}
    return found
