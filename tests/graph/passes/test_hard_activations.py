"""Hard-swish, hard-sigmoid and squeeze-and-excite as Keras, torchvision, timm and older ports export them.

The spellings were read from real exports: torchvision 0.28 and timm 1.0 by both of torch 2.13's exporters;
Keras's ``relu6(x + 3) * (1 / 6)`` from keras/src/applications/mobilenet_v3.py; dense squeeze-and-excite from
github.com/d-li14/mobilenetv3.pytorch.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, helper

from edgenet.graph.passes.hard_activations import fold_gates, name_hard_activations
from tests.graph.passes.test_prepare import same, settings_for, small
from tests.graph.small import graph, keeps, kinds, node, random, written

CHANNELS = 8
NUMBERS = {"three": np.float32(3), "sixth": np.float32(1 / 6), "six": np.float32(6), "zero": np.float32(0)}


class Spelled:
    """Nodes from ``x`` to ``y`` with the weights they read."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(5)
        self.nodes: list[NodeProto] = []
        self.weights: dict[str, np.ndarray] = {name: np.asarray(value) for name, value in NUMBERS.items()}

    def node(self, kind: str, *inputs: str, **options: Any) -> str:
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **options))
        return name

    def weight(self, *shape: int) -> str:
        name = f"w{len(self.weights)}"
        self.weights[name] = self.rng.normal(0, 1.2 / np.sqrt(np.prod(shape[1:]) or 1), shape)
        return name

    def conv(self, source: str, inputs: int = CHANNELS, kernel: int = 1, outputs: int = CHANNELS) -> str:
        names = self.weight(outputs, inputs, kernel, kernel), self.weight(outputs)
        return self.node("Conv", source, *names, kernel_shape=[kernel] * 2)

    def gate(self, source: str, spelling: str) -> str:
        """hard_sigmoid(source)."""
        if spelling == "node":
            return self.node("HardSigmoid", source, alpha=1 / 6, beta=0.5)
        clip = self.node("Clip", self.node("Add", source, "three"), "zero", "six")
        return self.node("Div", clip, "six") if spelling == "div" else self.node("Mul", clip, "sixth")

    def swish(self, source: str, spelling: str) -> str:
        """hard_swish(source)."""
        if spelling in ("node", "div", "mul"):
            return self.node("Mul", source, self.gate(source, spelling))
        clip = self.node("Clip", self.node("Add", "three", source), "zero", "six")
        product = self.node("Mul", clip, source)
        return (
            self.node("Div", product, "six") if spelling == "late div" else self.node("Mul", product, "sixth")
        )

    def counts(self, top: str, classes: int = CHANNELS) -> dict[str, int]:
        """What is left after preparing, once it was seen to compute the same."""
        self.nodes[-1].output[0] = "y"
        prepared = same(small(self.nodes, self.weights, settings_for((9, 9)), classes))
        kinds = Counter(node.op_type for node in prepared.proto.graph.node)
        return {kind: kinds[kind] for kind in kinds if kind not in ("Transpose", "Cast")}

    def pooled(self, source: str) -> str:
        return self.node("Flatten", self.node("GlobalAveragePool", source), axis=1)


@pytest.mark.parametrize("spelling", ["node", "div", "mul", "late div", "late mul"])
def test_hard_swish_becomes_one_node(spelling: str) -> None:
    net = Spelled()
    top = net.pooled(net.swish(net.conv("x", 3, 3), spelling))
    assert net.counts(top) == {"Conv": 1, "HardSwish": 1, "GlobalAveragePool": 1, "Flatten": 1}


@pytest.mark.parametrize("spelling", ["node", "div", "mul"])
def test_a_gate_becomes_a_relu6_of_its_convolution(spelling: str) -> None:
    net = Spelled()
    value = net.node("Relu", net.conv("x", 3, 3))
    squeezed = net.node("Relu", net.conv(net.node("ReduceMean", value, axes=[2, 3], keepdims=1)))
    product = net.node("Mul", net.gate(net.conv(squeezed), spelling), value)
    found = net.counts(net.pooled(net.conv(product)))
    assert found == {
        "Conv": 4,
        "Relu": 2,
        "Clip": 1,
        "Mul": 1,
        "GlobalAveragePool": 2,
        "Flatten": 1,
    }


def test_a_gate_without_a_convolution_behind_keeps_its_sixth() -> None:
    net = Spelled()
    value = net.node("Relu", net.conv("x", 3, 3))
    gate = net.node("HardSigmoid", net.conv(net.node("GlobalAveragePool", value)))  # 0.2 x + 0.5
    assert net.counts(net.pooled(net.node("Relu", net.node("Mul", value, gate))))["Mul"] == 2


def test_squeeze_and_excite_of_dense_layers_becomes_convolutions() -> None:
    net = Spelled()
    net.weights["full"] = np.array([1, CHANNELS, 1, 1], np.int64)
    value = net.node("Relu", net.conv("x", 3, 3))
    dense = net.node("Gemm", net.pooled(value), net.weight(4, CHANNELS), net.weight(4), transB=1)
    dense = net.node("Gemm", net.node("Relu", dense), net.weight(CHANNELS, 4), net.weight(CHANNELS), transB=1)
    gate = net.node("Reshape", net.node("HardSigmoid", dense, alpha=1 / 6, beta=0.5), "full")
    found = net.counts(net.pooled(net.conv(net.node("Mul", value, gate))))
    assert found == {
        "Conv": 4,
        "Relu": 2,
        "Clip": 1,
        "Mul": 1,
        "GlobalAveragePool": 2,
        "Flatten": 1,
    }


def test_torchvisions_head_becomes_two_convolutions() -> None:
    net = Spelled()
    dense = net.node(
        "Gemm", net.pooled(net.conv("x", 3, 3)), net.weight(12, CHANNELS), net.weight(12), transB=1
    )
    swish = net.node("Mul", dense, net.gate(dense, "node"))
    top = net.node("Gemm", swish, net.weight(5, 12), net.weight(5), transB=1)
    found = net.counts(top, 5)
    assert found == {"Conv": 3, "HardSwish": 1, "GlobalAveragePool": 1, "Flatten": 1}


def test_an_average_over_the_whole_picture_is_a_global_one() -> None:
    """slim and old Keras heads: AveragePool 7x7 on 7x7 pixels."""
    net = Spelled()
    pooled = net.node("AveragePool", net.conv("x", 3, 3), kernel_shape=[7, 7], strides=[2, 2])
    assert net.counts(net.node("Flatten", pooled, axis=1)) == {
        "Conv": 1,
        "GlobalAveragePool": 1,
        "Flatten": 1,
    }


def test_what_only_looks_like_hard_swish_stays() -> None:
    net = Spelled()
    value = net.conv("x", 3, 3)
    other = net.node("Relu", value)
    gate = net.node("HardSigmoid", net.conv(value), alpha=1 / 6, beta=0.4)
    found = net.counts(net.pooled(net.node("Relu", net.node("Mul", other, gate))))
    assert "HardSwish" not in found


def test_shapes_written_as_arithmetic_are_computed() -> None:
    """TensorFlow's SAME as timm writes it for TorchScript: pads from the input's shape, while it runs."""
    net = Spelled()
    net.weights |= {
        name: np.array(value, np.int64) for name, value in (("two", 2), ("none", [0] * 6), ("one", 1))
    }
    rows = net.node("Gather", net.node("Shape", "x"), "two")
    extra = net.node("Unsqueeze", net.node("Mod", rows, "two"), "first")
    net.weights["first"] = np.array([0], np.int64)
    pads = net.node("Concat", "none", extra, extra, axis=0)
    top = net.pooled(net.node("Relu", net.conv(net.node("Pad", "x", pads, "zero"), 3, 3)))
    found = net.counts(top)
    assert found == {"Add": 1, "Conv": 1, "Relu": 1, "GlobalAveragePool": 1, "Flatten": 1}


LIMITS = {"three": np.array(3.0), "six": np.array(6.0), "zero": np.array(0.0), "two": np.array(2.0)}
HARD = [node("Add", ["x", "three"], ["a"]), node("Clip", ["a", "zero", "six"], ["c"])]


def test_alone_each_name_counts() -> None:
    net = graph([*HARD, node("Div", ["c", "six"], ["g"]), node("Mul", ["x", "g"], ["y"])], LIMITS)
    before = net.copy()
    assert name_hard_activations(net) == 2
    assert kinds(net) == {"HardSwish": 1}
    assert net.opset == 14
    keeps(before, net)


@pytest.mark.parametrize(("by", "end"), [("two", "six"), ("six", "two")])
def test_alone_another_slope_or_end_is_left_alone(by: str, end: str) -> None:
    clip = node("Clip", ["a", "zero", end], ["c"])
    net = graph([HARD[0], clip, node("Div", ["c", by], ["g"]), node("Mul", ["x", "g"], ["y"])], LIMITS)
    before = written(net)
    assert name_hard_activations(net) == 0
    assert written(net) == before


def gated(*behind: NodeProto, bias: str = "b") -> Any:
    gate = [
        node("Conv", ["x", "w", bias], ["e"]),
        node("HardSigmoid", ["e"], ["g"], alpha=1 / 6, beta=0.5),
        node("Mul", ["x", "g"], ["m"]),
    ]
    return graph(
        [*gate, *behind],
        {"w": random(3, 3, 1, 1), "b": random(3, seed=1), "v": random(4, 3, 1, 1), "n": random(4)},
    )


def test_alone_a_gate_is_a_relu6_and_its_sixth_is_in_the_next_convolution() -> None:
    net = gated(node("Conv", ["m", "v", "n"], ["y"]))
    before = net.copy()
    assert fold_gates(net) == 1
    assert kinds(net) == {"Conv": 2, "Clip": 1, "Mul": 1}
    keeps(before, net)


def test_alone_a_gate_behind_no_constant_convolution_is_left_alone() -> None:
    free = graph([node("HardSigmoid", ["x"], ["g"]), node("Mul", ["x", "g"], ["y"])])
    before = written(free)
    assert fold_gates(free) == 0
    assert written(free) == before
