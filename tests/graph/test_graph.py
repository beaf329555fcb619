"""What a graph knows of itself stays true whatever passes do to it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from onnx import NodeProto, TensorProto, helper

from edgenet.graph import indices
from edgenet.graph.graph import Graph

SHAPE = (1, 4)


def made(nodes: list[NodeProto], inputs: str, outputs: str) -> Graph:
    """A graph between one-letter inputs and outputs, all float32 [1, 4]."""
    described = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE) for name in names]
        for names in (inputs, outputs)
    ]
    body = helper.make_graph(nodes, "g", *described)
    return Graph(helper.make_model(body, opset_imports=[helper.make_opsetid("", 13)], ir_version=8))


def relu(source: str, result: str) -> NodeProto:
    return helper.make_node("Relu", [source], [result])


class Passes(RuleBasedStateMachine):
    """Random changes of a graph with two inputs and two outputs, and a plain list of its nodes beside it."""

    def __init__(self) -> None:
        super().__init__()
        nodes = [relu("a", "m"), helper.make_node("Add", ["m", "b"], ["y"]), relu("m", "z")]
        self.graph = made(nodes, "ab", "yz")
        self.order = list(self.graph.nodes)

    def tensors_before(self, position: int) -> list[str]:
        """What a node at a position may read."""
        return ["a", "b", *(name for node in self.order[:position] for name in node.output)]

    @rule(data=st.data(), binary=st.booleans())
    def insert(self, data: st.DataObject, binary: bool) -> None:
        position = data.draw(st.integers(0, len(self.order)))
        known = st.sampled_from(self.tensors_before(position))
        sources = [data.draw(known) for _ in range(1 + binary)]
        node = helper.make_node("Add" if binary else "Relu", sources, [self.graph.fresh("t")])
        before = self.order[position] if position < len(self.order) else None
        self.graph.insert(before, node, SHAPE)
        self.order.insert(position, node)

    @rule(data=st.data())
    def set_input(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(0, len(self.order) - 1))
        node = self.order[position]
        index = data.draw(st.integers(0, len(node.input) - 1))
        self.graph.set_input(node, index, data.draw(st.sampled_from(self.tensors_before(position))))

    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        """Another name for what a node writes; its readers follow."""
        node = data.draw(st.sampled_from(self.order))
        old, new = node.output[0], self.graph.fresh("r")
        if not self.graph.is_output(old):
            self.graph.set_output(node, 0, new)
            self.graph.redirect(old, new)

    @rule(data=st.data())
    def redirect(self, data: st.DataObject) -> None:
        position = data.draw(st.integers(0, len(self.order) - 1))
        old = self.order[position].output[0]
        if not self.graph.is_output(old):
            self.graph.redirect(old, data.draw(st.sampled_from(self.tensors_before(position))))

    @precondition(lambda self: len(self.order) > 2)
    @rule(data=st.data())
    def bypass(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(self.order))
        if self.graph.can_bypass(node):
            self.graph.bypass(node)
            self.order = [item for item in self.order if item is not node]
        else:
            with pytest.raises(ValueError, match="cannot be"):
                self.graph.bypass(node)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(self.order))
        if not self.graph.consumers(node.output[0]) and not self.graph.is_output(node.output[0]):
            self.graph.remove(node)
            self.order = [item for item in self.order if item is not node]

    @rule()
    def go_on_with_a_copy(self) -> None:
        before = [node.SerializeToString() for node in self.order]
        self.graph = self.graph.copy()
        self.order = list(self.graph.nodes)
        assert [node.SerializeToString() for node in self.order] == before

    @invariant()
    def the_order_is_the_list(self) -> None:
        assert list(map(id, self.graph.nodes)) == list(map(id, self.order))
        behind = [self.graph.following(node) for node in self.order]
        assert list(map(id, behind)) == list(map(id, [*self.order[1:], None]))

    @invariant()
    def readers_and_writers_are_those_of_a_look_at_all_nodes(self) -> None:
        names = {"a", "b", "absent", *(name for node in self.order for name in (*node.input, *node.output))}
        for name in names:
            readers = [id(node) for node in self.order if name in node.input]
            writer = next((node for node in self.order if name in node.output), None)
            assert list(map(id, self.graph.consumers(name))) == readers
            assert self.graph.producer(name) is writer
            assert (self.graph.fresh(name) == name) == (writer is None and name not in "ab")

    @invariant()
    def the_outputs_are_computed(self) -> None:
        onnx.checker.check_model(self.graph.proto())


TestPasses = Passes.TestCase
TestPasses.settings = settings(max_examples=60, stateful_step_count=25)


def test_labels_are_given_anew_where_they_are_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indices, "GAP", 4)
    graph = made([relu("a", "y")], "a", "y")
    first = graph.nodes[0]
    nodes = [graph.insert(first, relu("a", f"t{number}"), SHAPE) for number in range(40)]
    nodes += [graph.insert(nodes[0], relu("a", f"u{number}"), SHAPE) for number in range(40)][::-1]
    assert len(graph.consumers("a")) == 81
    assert list(map(id, graph.consumers("a"))) == list(map(id, graph.nodes))


def test_a_node_with_the_text_of_another_is_another() -> None:
    graph = made([relu("a", "y")], "a", "y")
    twin = graph.insert(None, relu("a", "y"))
    graph.remove(twin)
    assert [node is twin for node in graph.nodes] == [False]
    with pytest.raises(ValueError, match="not in the graph"):
        graph.remove(twin)


def test_a_node_enters_once() -> None:
    graph = made([relu("a", "y")], "a", "y")
    with pytest.raises(ValueError, match="in the graph already"):
        graph.insert(None, graph.nodes[0])


def test_operands_left_out_are_no_tensors() -> None:
    graph = made([helper.make_node("Clip", ["a", "", ""], ["y"])], "a", "y")
    assert (graph.consumers(""), graph.producer("")) == ([], None)
    graph.set_input(graph.nodes[0], 1, "low")
    graph.remove(graph.nodes[0])
    assert graph.consumers("low") == []


def test_one_input_is_asked_of_a_graph_with_one() -> None:
    graph = made([helper.make_node("Add", ["a", "b"], ["y"]), relu("a", "z")], "ab", "yz")
    assert (list(graph.inputs), list(graph.outputs)) == (["a", "b"], ["y", "z"])
    with pytest.raises(ValueError, match="one input was expected, the graph has 2"):
        _ = graph.input
    with pytest.raises(ValueError, match="one output was expected, the graph has 2"):
        _ = graph.output


def test_what_several_outputs_give_is_no_sole_reader() -> None:
    graph = made([relu("a", "y"), relu("y", "z")], "a", "yz")
    assert graph.sole_consumer("y") is None
    with pytest.raises(ValueError, match="'z' cannot be 'y'"):
        graph.bypass(graph.nodes[1])
    assert len(graph.nodes) == 2


def test_an_output_keeps_its_name_when_its_node_goes() -> None:
    graph = made([relu("a", "m"), relu("m", "y"), relu("m", "z")], "a", "yz")
    graph.bypass(graph.nodes[1])
    assert [(list(node.input), list(node.output)) for node in graph.proto().graph.node] == [
        (["a"], ["y"]),
        (["y"], ["z"]),
    ]


def test_an_identity_between_two_outputs_stays() -> None:
    nodes = [relu("a", "y"), helper.make_node("Identity", ["y"], ["z"])]
    assert [node.op_type for node in made(nodes, "a", "yz").nodes] == ["Relu", "Identity"]


def test_inputs_and_outputs_keep_their_order() -> None:
    graph = made([helper.make_node("Add", ["a", "b"], ["y"]), relu("a", "z")], "ab", "yz")
    graph.replace_graph_input("a", helper.make_tensor_value_info("p", TensorProto.UINT8, SHAPE))
    graph.replace_graph_output("y", helper.make_tensor_value_info("s", TensorProto.FLOAT, SHAPE))
    assert (list(graph.inputs), list(graph.outputs)) == (["p", "b"], ["s", "z"])
    assert graph.shape("p") == SHAPE


def test_a_copy_shares_no_node_and_all_values() -> None:
    graph = made([helper.make_node("Add", ["a", "b"], ["y"])], "ab", "y")
    graph.add_constant("c", np.ones(4, np.float32))
    other = graph.copy()
    other.set_input(other.nodes[0], 1, "c")
    assert list(graph.nodes[0].input) == ["a", "b"]
    assert not graph.consumers("c")
    assert other.constants["c"] is graph.constants["c"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"value_float": 1.5}, np.float32(1.5)),
        ({"value_floats": [1.5, 2.0]}, np.array([1.5, 2.0], np.float32)),
        ({"value_int": 3}, np.int64(3)),
        ({"value_ints": [1, -1]}, np.array([1, -1])),
    ],
)
def test_constants_in_every_form(given: dict[str, object], expected: np.ndarray) -> None:
    constant = helper.make_node("Constant", [], ["c"], **given)
    held = made([constant, helper.make_node("Relu", ["a"], ["z"])], "a", "z").constants["c"]
    assert held.dtype == expected.dtype
    assert np.array_equal(held, expected)
