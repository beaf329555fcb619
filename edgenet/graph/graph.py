"""The ONNX graph that passes can read and edit.

Nodes stay the protobufs that onnx, its checker and its shape inference work on. What a protobuf does not
know, who reads a tensor and where a node stands, lies beside them (:mod:`edgenet.graph.indices`).

The library onnx-ir (1.1.0, of the ONNX project) keeps the same in classes of its own. It was weighed and
not taken: importing it imports sympy, 7 MB more to download and 36 MB more resident, in a quantizer that
keeps within 300; its users of a tensor come in the order in which they were noted, ours in the graph's,
after which passes choose and name tensors, so that a file stays the same byte for byte; it infers shapes by
way of protobufs, as :meth:`Graph.proto` does; and every pass would be written anew. It would spare one file
of 150 lines.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from edgenet.graph.indices import Mentions, Order
from edgenet.graph.shapes import inferred

__all__ = ["Graph", "attributes"]

# The other attributes of a Constant.
PLAIN = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}


def attributes(node: NodeProto) -> dict[str, Any]:
    """The attributes of a node as plain values."""
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


class Graph:
    """Nodes in topological order, constants as numpy arrays, and static shapes.

    It is a copy: the model it came from is not touched, and :meth:`proto` gives the result. ``Constant``
    nodes become constants, ``Identity`` and ``Dropout`` disappear on the way in.

    Who writes and who reads a tensor, which names are taken and where a node stands is known without looking
    at all nodes. So a node's inputs and outputs are changed by :meth:`set_input` and its like only, never in
    the node itself.

    Attributes:
        inputs: Description of every input by name, in order.
        outputs: Description of every output by name, in order.
        constants: Every weight by name.
        opset: Version of the default operator set.
    """

    def __init__(self, proto: onnx.ModelProto) -> None:
        self._load(proto)

    def _load(self, proto: onnx.ModelProto) -> None:
        graph = inferred(proto).graph
        self.constants: dict[str, NDArray[Any]] = {
            item.name: numpy_helper.to_array(item) for item in proto.graph.initializer
        }
        given = [item for item in proto.graph.input if item.name not in self.constants]
        self.inputs: dict[str, ValueInfoProto] = {item.name: item for item in given}
        self.outputs: dict[str, ValueInfoProto] = {item.name: item for item in graph.output}
        self.opset = next(item.version for item in proto.opset_import if item.domain in ("", "ai.onnx"))
        self._shapes = {
            item.name: tuple(dim.dim_value for dim in item.type.tensor_type.shape.dim)
            for item in itertools.chain(graph.value_info, graph.input, graph.output)
        }
        self._wire(node for node in graph.node if not self._take_constant(node))
        for node in [node for node in self.nodes if node.op_type in ("Identity", "Dropout")]:
            if node.input[0] in self.constants and not self.is_output(node.output[0]):
                self.constants[node.output[0]] = self.constants[node.input[0]]
                self.remove(node)
            elif self.can_bypass(node):
                self.bypass(node)

    def _take_constant(self, node: NodeProto) -> bool:
        held = attributes(node) if node.op_type == "Constant" else {}
        if "value" in held:
            self.constants[node.output[0]] = numpy_helper.to_array(held["value"])
        elif found := [item for item in held.items() if item[0] in PLAIN]:
            self.constants[node.output[0]] = np.array(found[0][1], PLAIN[found[0][0]])
        return node.output[0] in self.constants if held else False

    def _wire(self, nodes: Iterable[NodeProto]) -> None:
        """Begin with these nodes alone."""
        self._order, self._readers, self._writers = Order(), Mentions(), Mentions()
        for node in nodes:
            self._enter(node, None)

    def _enter(self, node: NodeProto, before: NodeProto | None) -> None:
        self._order.insert(node, before)
        for name in node.input:
            self._readers.add(name, node)
        for name in node.output:
            self._writers.add(name, node)

    def copy(self) -> Graph:
        """A graph with nodes of its own; the constants' values are shared, for no pass writes into them."""
        other = copy.copy(self)
        other.constants, other._shapes = dict(self.constants), dict(self._shapes)
        other.inputs, other.outputs = dict(self.inputs), dict(self.outputs)
        other._wire(copy.deepcopy(node) for node in self.nodes)
        return other

    @property
    def nodes(self) -> tuple[NodeProto, ...]:
        """The nodes in topological order, as they stand now: a loop over them sees no later change."""
        return self._order.nodes

    @property
    def input(self) -> str:
        """Name of the only input.

        Raises:
            ValueError: There are several, or none.
        """
        return _only(self.inputs, "input")

    @property
    def output(self) -> str:
        """Name of the only output.

        Raises:
            ValueError: There are several, or none.
        """
        return _only(self.outputs, "output")

    def is_output(self, name: str) -> bool:
        """Whether a tensor is one of the graph's outputs."""
        return name in self.outputs

    def shape(self, name: str) -> tuple[int, ...]:
        """The static shape of a tensor; a dimension that is not known is 0."""
        if name in self.constants:
            return tuple(self.constants[name].shape)
        return self._shapes.get(name, ())

    def constant(self, name: str) -> NDArray[Any] | None:
        """The value of a tensor that does not depend on the input, else ``None``."""
        return self.constants.get(name)

    def producer(self, name: str) -> NodeProto | None:
        """The node that writes a tensor; ``None`` for the inputs and constants."""
        return next(iter(self.ordered(self._writers.of(name))), None)

    def consumers(self, name: str) -> list[NodeProto]:
        """The nodes that read a tensor, in order."""
        return self.ordered(self._readers.of(name))

    def sole_consumer(self, name: str) -> NodeProto | None:
        """The only reader of a tensor; ``None`` if there are others or it is an output of the graph."""
        readers = self.consumers(name)
        return readers[0] if len(readers) == 1 and not self.is_output(name) else None

    def following(self, node: NodeProto) -> NodeProto | None:
        """The node that stands behind one, whether it reads from it or not; ``None`` for the last."""
        return self._order.following(node)

    def ordered(self, nodes: Iterable[NodeProto]) -> list[NodeProto]:
        """Some nodes of the graph, in its order."""
        return self._order.ordered(nodes)

    def add_constant(self, name: str, value: NDArray[Any]) -> str:
        """Keep a constant under a name made unique, and return that name."""
        unique = self.fresh(name)
        self.constants[unique] = value
        return unique

    def fresh(self, name: str) -> str:
        """``name``, or ``name_2``, ``name_3`` … if it is taken."""
        candidates = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
        taken = (self._writers, self.constants, self.inputs)
        return next(item for item in candidates if not any(item in names for names in taken))

    def insert(self, before: NodeProto | None, node: NodeProto, shape: Iterable[int] = ()) -> NodeProto:
        """Put a node before another one (at the end if ``None``) and note its output's shape."""
        self._enter(node, before)
        self._shapes[node.output[0]] = tuple(shape)
        return node

    def reshape(self, name: str, shape: Iterable[int]) -> None:
        """Note another shape of a tensor."""
        self._shapes[name] = tuple(shape)

    def remove(self, node: NodeProto) -> None:
        """Remove a node that nobody reads any more, or whose output gets a new producer."""
        self._order.remove(node)
        for name in node.input:
            self._readers.drop(name, node)
        for name in node.output:
            self._writers.drop(name, node)

    def set_input(self, node: NodeProto, index: int, name: str) -> None:
        """Let a node of the graph read another tensor; an index one behind its last input adds one."""
        self.set_inputs(node, [*node.input[:index], name, *node.input[index + 1 :]])

    def set_inputs(self, node: NodeProto, names: Iterable[str]) -> None:
        """Let a node of the graph read these tensors and no others."""
        names = list(names)
        for name in node.input:
            self._readers.drop(name, node)
        del node.input[:]
        node.input.extend(names)
        for name in names:
            self._readers.add(name, node)

    def set_output(self, node: NodeProto, index: int, name: str) -> None:
        """Let a node of the graph write another tensor; who read the old one still does."""
        self._writers.drop(node.output[index], node)
        node.output[index] = name
        self._writers.add(name, node)

    def exchange(self, node: NodeProto, old: str, new: str) -> None:
        """Let a node read ``new`` wherever it reads ``old``."""
        self.set_inputs(node, [new if name == old else name for name in node.input])

    def can_bypass(self, node: NodeProto) -> bool:
        """Whether a node can go: not where it alone keeps an output apart from an input or another output."""
        source = node.input[0]
        given = source in self.inputs or source in self.constants or self.is_output(source)
        return not (given and self.is_output(node.output[0]))

    def bypass(self, node: NodeProto) -> None:
        """Remove a node; who read its output reads its first input.

        Raises:
            ValueError: It is needed, see :meth:`can_bypass`; nothing was changed.
        """
        if not self.can_bypass(node):
            raise ValueError(f"the output {node.output[0]!r} cannot be {node.input[0]!r} itself")
        self.remove(node)
        self.redirect(node.output[0], node.input[0])

    def redirect(self, old: str, new: str) -> None:
        """Let every reader of ``old`` read ``new``; an output of the graph keeps its name.

        Raises:
            ValueError: ``old`` is an output, and ``new`` an input, a constant or an output too.
        """
        if not self.is_output(old):
            for node in self.consumers(old):
                self.exchange(node, old, new)
            return
        producer = self.producer(new)
        if producer is None or self.is_output(new):
            raise ValueError(f"the output {old!r} cannot be {new!r} itself")
        for node in self.consumers(new):
            self.exchange(node, new, old)
        self.set_output(producer, list(producer.output).index(new), old)

    def add_graph_input(self, info: ValueInfoProto) -> None:
        """Let the graph have one more input."""
        self.inputs[info.name] = info
        self._note(info)

    def replace_graph_input(self, name: str, info: ValueInfoProto) -> None:
        """Describe an input anew, under the same or another name; its readers are the caller's."""
        self.inputs = _replaced(self.inputs, name, info)
        self._note(info)

    def replace_graph_output(self, name: str, info: ValueInfoProto) -> None:
        """Let another tensor be an output in place of one, or describe that one anew."""
        self.outputs = _replaced(self.outputs, name, info)

    def end_in(self, old: str, infos: Iterable[ValueInfoProto]) -> None:
        """Let the graph give these tensors in the place of an output; their nodes are the caller's."""
        kept = [(name, [info]) for name, info in self.outputs.items()]
        found = [item for name, given in kept for item in (infos if name == old else given)]
        self.outputs = {info.name: info for info in found}
        for info in found:
            self._note(info)

    def _note(self, info: ValueInfoProto) -> None:
        self._shapes[info.name] = tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim)

    def renew(self) -> None:
        """Infer all shapes again from what the graph is now."""
        self._load(self.proto())

    def proto(self) -> onnx.ModelProto:
        """The graph as a checked model with inferred shapes; unused constants are dropped."""
        used = [name for name in self.constants if name in self._readers]
        weights = [numpy_helper.from_array(self.constants[name], name) for name in used]
        ends = list(self.inputs.values()), list(self.outputs.values())
        graph = helper.make_graph(self.nodes, "edgenet", *ends, weights)
        foreign = [node for node in self.nodes if node.domain]
        graph.value_info.extend(map(self._info, foreign))  # onnx infers nothing through these
        domains = sorted({node.domain for node in foreign})
        imported = [helper.make_opsetid("", self.opset), *(helper.make_opsetid(item, 1) for item in domains)]
        model = helper.make_model(
            graph,
            opset_imports=imported,
            ir_version=8,
            producer_name="edgenet",
        )
        known = inferred(model, check=True).graph.value_info
        del model.graph.value_info[:]
        model.graph.value_info.extend(known)
        return model

    def _info(self, node: NodeProto) -> ValueInfoProto:
        """Type and shape of what a 16-bit QuantizeLinear or DequantizeLinear gives."""
        kind = TensorProto.FLOAT
        if node.op_type == "QuantizeLinear":
            kind = helper.np_dtype_to_tensor_dtype(self.constants[node.input[2]].dtype)
        return helper.make_tensor_value_info(node.output[0], kind, self.shape(node.output[0]))


def _only(named: dict[str, ValueInfoProto], kind: str) -> str:
    if len(named) != 1:
        raise ValueError(f"one {kind} was expected, the graph has {len(named)} ({', '.join(named)})")
    return next(iter(named))


def _replaced(named: dict[str, ValueInfoProto], old: str, info: ValueInfoProto) -> dict[str, ValueInfoProto]:
    """The same with another entry in an entry's place."""
    pairs = [(info.name, info) if name == old else (name, item) for name, item in named.items()]
    return dict(pairs)
