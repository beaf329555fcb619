"""What does not depend on the input is computed once."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.graph.passes import fold_constants as module
from edgenet.graph.passes.fold_constants import fold_constants
from tests.graph.small import graph, keeps, kinds, node, random, written

ONE = {"one": np.array(1, np.int64), "two": np.array(2, np.int64), "axis": np.array([0], np.int64)}


def test_arithmetic_on_a_shape_becomes_a_constant() -> None:
    """x.reshape(1, channels, -1) as exporters write it."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "one"], ["c"]),
        node("Unsqueeze", ["c", "axis"], ["u"]),
        node("Concat", ["first", "u", "rest"], ["to"], axis=0),
        node("Reshape", ["x", "to"], ["y"]),
    ]
    ends = {"first": np.array([1], np.int64), "rest": np.array([-1], np.int64)}
    small = graph(nodes, ONE | ends, result=(1, 3, 30))
    before = small.copy()
    assert fold_constants(small) == 4
    assert kinds(small) == {"Reshape": 1}
    assert small.shape("y") == (1, 3, 30)
    keeps(before, small, 0.0)


@pytest.mark.parametrize("part", [{"start": 0, "end": 1}, {"start": 1, "end": 3}, {"start": -2}, {}])
def test_a_part_of_a_shape_is_constant(part: dict[str, int]) -> None:
    """Shape has ``start`` and ``end`` since opset 15; PyTorch's dynamo exporter asks so for the batch."""
    nodes = [
        node("Shape", ["x"], ["s"], **part),
        node("ReduceSum", ["s"], ["sum"], keepdims=0),
        node("Cast", ["sum"], ["f"], to=1),
        node("Add", ["x", "f"], ["y"]),
    ]
    small = graph(nodes, opset=15)
    before = small.copy()
    assert fold_constants(small) == 3
    keeps(before, small, 0.0)


def test_nothing_is_left_for_a_second_time() -> None:
    small = graph(
        [node("Mul", ["a", "b"], ["w"]), node("Add", ["x", "w"], ["y"])], {"a": random(1), "b": random(1)}
    )
    before = small.copy()
    assert (fold_constants(small), fold_constants(small)) == (1, 0)
    keeps(before, small)


def test_quantized_weights_an_output_and_what_would_grow_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = np.arange(3, dtype=np.int8).reshape(1, 3, 1, 1)
    held = {
        "q": steps,
        "scale": np.float32(0.5),
        "zero": np.int8(0),
    }
    whole = {"wide": np.array([1, 3, 6, 5], np.int64), "little": random(1, 1, 1, 1)}
    dequantize = node("DequantizeLinear", ["q", "scale", "zero"], ["w"])
    monkeypatch.setattr(module, "LARGEST", 50)
    for small in (
        graph([dequantize, node("Add", ["x", "w"], ["y"])], held),
        graph([node("Expand", ["little", "wide"], ["w"]), node("Add", ["x", "w"], ["y"])], whole),
        graph([node("Add", ["little", "little"], ["y"]), node("Relu", ["x"], ["r"])], whole),
    ):
        before = written(small)
        assert fold_constants(small) == 0
        assert written(small) == before


def test_a_node_that_reads_the_input_stays() -> None:
    small = graph([node("Relu", ["x"], ["r"]), node("Mul", ["r", "a"], ["y"])], {"a": random(1)})
    before = written(small)
    assert fold_constants(small) == 0
    assert written(small) == before
