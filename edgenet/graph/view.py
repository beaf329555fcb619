"""A working copy of an ONNX graph that passes can read and edit."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterable
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

__all__ = ["Graph", "attributes", "inferred"]

# Constants of at most so many values may be shapes, axes or pads.
SMALL = 1024


def attributes(node: NodeProto) -> dict[str, Any]:
    """The attributes of a node as plain values."""
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def inferred(proto: onnx.ModelProto, check: bool = False) -> onnx.ModelProto:
    """The model with the shapes of its tensors, and large weights as inputs.

    Their values decide no shape, and onnx would copy them several times.

    Args:
        proto: Not changed.
        check: Whether nodes and types are checked.

    Raises:
        onnx.checker.ValidationError: A node is not as its operator wants it.
        onnx.shape_inference.InferenceError: Shapes contradict each other.
    """
    light = onnx.ModelProto(ir_version=max(proto.ir_version, 4), opset_import=proto.opset_import)
    light.graph.name = proto.graph.name or "graph"
    for field in ("node", "output", "value_info"):
        getattr(light.graph, field).extend(getattr(proto.graph, field))
    weights = {item.name for item in proto.graph.initializer}
    light.graph.input.extend(item for item in proto.graph.input if item.name not in weights)
    for item in proto.graph.initializer:
        if math.prod(item.dims) <= SMALL:
            light.graph.initializer.append(item)
        else:
            light.graph.input.append(helper.make_tensor_value_info(item.name, item.data_type, item.dims))
    if check:
        onnx.checker.check_model(light)
    return onnx.shape_inference.infer_shapes(light, strict_mode=True, data_prop=True)


class Graph:
    """Nodes in topological order, constants as numpy arrays, and static shapes.

    The graph has one input and one output. It is a copy: the model it came from is not touched, and
    :meth:`proto` gives the result. ``Constant`` nodes become constants, ``Identity`` and ``Dropout``
    disappear on the way in.

    Attributes:
        nodes: The nodes, in topological order.
        constants: Every weight by name.
        input: Name of the input.
        output: Name of the output.
        opset: Version of the default operator set.
    """

    def __init__(self, proto: onnx.ModelProto) -> None:
        graph = inferred(proto).graph
        self.constants: dict[str, NDArray[Any]] = {
            item.name: numpy_helper.to_array(item) for item in proto.graph.initializer
        }
        self.input_info = next(item for item in proto.graph.input if item.name not in self.constants)
        self.output_info = graph.output[0]
        self.input, self.output = self.input_info.name, self.output_info.name
        self.opset = next(item.version for item in proto.opset_import if item.domain in ("", "ai.onnx"))
        self.nodes: list[NodeProto] = []
        self._shapes = {
            item.name: tuple(dim.dim_value for dim in item.type.tensor_type.shape.dim)
            for item in itertools.chain(graph.value_info, graph.input, graph.output)
        }
        for node in graph.node:
            self._take(node)
        for node in [node for node in self.nodes if node.op_type in ("Identity", "Dropout")]:
            if node.input[0] in self.constants:
                self.constants[node.output[0]] = self.constants[node.input[0]]
                self.remove(node)
            elif node.input[0] != self.input or node.output[0] != self.output:
                self.bypass(node)

    def copy(self) -> Graph:
        """A graph with nodes of its own; the constants' values are shared, for no pass writes into them."""
        other = copy.copy(self)
        other.constants, other._shapes = dict(self.constants), dict(self._shapes)
        other.nodes = [copy.deepcopy(node) for node in self.nodes]
        return other

    def _take(self, node: NodeProto) -> None:
        value = attributes(node).get("value") if node.op_type == "Constant" else None
        if value is not None:
            self.constants[node.output[0]] = numpy_helper.to_array(value)
        else:
            self.nodes.append(node)

    def shape(self, name: str) -> tuple[int, ...]:
        """The static shape of a tensor; a dimension that is not known is 0."""
        if name in self.constants:
            return tuple(self.constants[name].shape)
        return self._shapes.get(name, ())

    def constant(self, name: str) -> NDArray[Any] | None:
        """The value of a tensor that does not depend on the input, else ``None``."""
        return self.constants.get(name)

    def producer(self, name: str) -> NodeProto | None:
        """The node that writes a tensor; ``None`` for the input and constants."""
        return next((node for node in self.nodes if name in node.output), None)

    def consumers(self, name: str) -> list[NodeProto]:
        """The nodes that read a tensor."""
        return [node for node in self.nodes if name in node.input]

    def sole_consumer(self, name: str) -> NodeProto | None:
        """The only reader of a tensor; ``None`` if there are others or the graph's output is it."""
        readers = self.consumers(name)
        return readers[0] if len(readers) == 1 and name != self.output else None

    def add_constant(self, name: str, value: NDArray[Any]) -> str:
        """Keep a constant under a name made unique, and return that name."""
        unique = self.fresh(name)
        self.constants[unique] = value
        return unique

    def fresh(self, name: str) -> str:
        """``name``, or ``name_2``, ``name_3`` … if it is taken."""
        taken = {output for node in self.nodes for output in node.output} | {self.input, *self.constants}
        candidates = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
        return next(candidate for candidate in candidates if candidate not in taken)

    def insert(self, before: NodeProto | None, node: NodeProto, shape: Iterable[int] = ()) -> NodeProto:
        """Put a node before another one (at the end if ``None``) and note its output's shape."""
        position = self.nodes.index(before) if before is not None else len(self.nodes)
        self.nodes.insert(position, node)
        self._shapes[node.output[0]] = tuple(shape)
        return node

    def reshape(self, name: str, shape: Iterable[int]) -> None:
        """Note another shape of a tensor."""
        self._shapes[name] = tuple(shape)

    def bypass(self, node: NodeProto) -> None:
        """Remove a node; who read its output reads its first input."""
        self.remove(node)
        self.redirect(node.output[0], node.input[0])

    def remove(self, node: NodeProto) -> None:
        """Remove a node that nobody reads any more, or whose output gets a new producer."""
        self.nodes.remove(node)

    def redirect(self, old: str, new: str) -> None:
        """Let every reader of ``old`` read ``new``; the graph's output keeps its name."""
        if old == self.output:
            producer = self.producer(new)
            if producer is None:
                raise ValueError("the output cannot be the input")
            self.redirect(new, old)
            producer.output[0] = old
            return
        for node in self.nodes:
            for index, name in enumerate(node.input):
                if name == old:
                    node.input[index] = new

    def proto(self) -> onnx.ModelProto:
        """The graph as a checked model with inferred shapes; unused constants are dropped."""
        used = {name for node in self.nodes for name in node.input}
        weights = [numpy_helper.from_array(v, name) for name, v in self.constants.items() if name in used]
        graph = helper.make_graph(self.nodes, "edgenet", [self.input_info], [self.output_info], weights)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=8,
            producer_name="edgenet",
        )
        model.graph.value_info.extend(inferred(model, check=True).graph.value_info)
        return model
