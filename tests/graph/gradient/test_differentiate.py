"""Gradients held to differences of the function itself, operator by operator and through whole networks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.gradient.differentiate import differentiable, differentiate
from edgenet.graph.gradient.emit import Emitter
from edgenet.graph.gradient.rules import RULES
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from tests.conftest import smooth_images
from tests.graph.small import graph, node, random

SHAPE = (1, 3, 6, 5)
LIMITS = {"low": np.array(-0.5), "high": np.array(0.75)}


Case = tuple[list[NodeProto], dict[str, NDArray[np.float64]]]
Values = NDArray[np.float32]


def conv(kernel: NDArray[np.float64], **options: object) -> Case:
    return [node("Conv", ["x", "w", "b"], ["y"], **options)], {"w": kernel, "b": random(len(kernel), seed=9)}


CASES: dict[str, Case] = {
    "pointwise": conv(random(4, 3, 1, 1)),
    "pointwise, strides": conv(random(4, 3, 1, 1), strides=[2, 2]),
    "3x3": conv(random(4, 3, 3, 3), pads=[1, 1, 1, 1]),
    "3x3, strides, uneven pads": conv(random(4, 3, 3, 3), strides=[2, 2], pads=[0, 0, 1, 1]),
    "3x3, strides that leave rows over": conv(random(4, 3, 3, 3), strides=[2, 2]),
    "3x2, dilations": conv(random(4, 3, 3, 2), dilations=[2, 1], pads=[2, 0, 1, 1]),
    "depthwise": conv(random(3, 1, 3, 3), group=3, pads=[1, 1, 1, 1]),
    "depthwise, uneven pads": conv(random(3, 1, 3, 3), group=3, pads=[0, 1, 2, 1]),
    "depthwise, dilations": conv(random(3, 1, 3, 3), group=3, pads=[2, 2, 2, 2], dilations=[2, 2]),
    "depthwise, strides": conv(random(3, 1, 5, 5), group=3, strides=[2, 2], pads=[2, 2, 2, 2]),
    "3x3, SAME_UPPER": conv(random(4, 3, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"),
    "depthwise, SAME_LOWER": conv(random(3, 1, 2, 4), group=3, auto_pad="SAME_LOWER"),
    "depthwise, VALID": conv(random(3, 1, 3, 3), group=3, auto_pad="VALID"),
    "two of each channel": conv(random(6, 1, 3, 3), group=3, pads=[1, 1, 1, 1]),
    "Add": ([node("Relu", ["x"], ["r"]), node("Add", ["x", "r"], ["y"])], {}),
    "Add of a channel's number": ([node("Add", ["c", "x"], ["y"])], {"c": random(3, 1, 1)}),
    "Mul": ([node("Sigmoid", ["x"], ["s"]), node("Mul", ["x", "s"], ["y"])], {}),
    "Mul with a gate": ([node("GlobalAveragePool", ["x"], ["g"]), node("Mul", ["x", "g"], ["y"])], {}),
    "Clip": ([node("Clip", ["x", "low", "high"], ["y"])], LIMITS),
    "Relu": ([node("Relu", ["x"], ["y"])], {}),
    "LeakyRelu": ([node("LeakyRelu", ["x"], ["y"], alpha=0.3)], {}),
    "PRelu": ([node("PRelu", ["x", "slope"], ["y"])], {"slope": random(3, 1, 1)}),
    "HardSigmoid": ([node("HardSigmoid", ["x"], ["y"], alpha=1 / 6, beta=0.5)], {}),
    "HardSwish": ([node("HardSwish", ["x"], ["y"])], {}),
    "Sigmoid": ([node("Sigmoid", ["x"], ["y"])], {}),
    "Concat": ([node("Relu", ["x"], ["r"]), node("Concat", ["r", "x"], ["y"], axis=1)], {}),
    "Pad": ([node("Pad", ["x", "p"], ["y"])], {"p": np.array([0, 0, 1, 2, 0, 0, 3, 0])}),
    "Pad, with a number, and cut off": (
        [node("Pad", ["x", "p", "v"], ["y"])], {"p": np.array([0, 0, 1, -2, 0, 0, -1, 1]), "v": np.array(0.5)}
    ),
    "Resize": ([node("Resize", ["x", "", "s"], ["y"])], {"s": np.array([1, 1, 2, 3.0])}),
    "Resize to a size, nearest, floor": (
        [node("Resize", ["x", "", "", "n"], ["y"], nearest_mode="floor",
              coordinate_transformation_mode="asymmetric")], {"n": np.array([1, 3, 9, 7])}
    ),
    "Resize, linear": (
        [node("Resize", ["x", "", "", "n"], ["y"], mode="linear")], {"n": np.array([1, 3, 4, 11])}
    ),
    "Resize, linear, corners": (
        [node("Resize", ["x", "", "", "n"], ["y"], mode="linear",
              coordinate_transformation_mode="align_corners")], {"n": np.array([1, 3, 13, 3])}
    ),
    "Resize, cubic": (
        [node("Resize", ["x", "", "", "n"], ["y"], mode="cubic")], {"n": np.array([1, 3, 12, 10])}
    ),
    "Transpose": ([node("Transpose", ["x"], ["y"], perm=[0, 2, 3, 1])], {}),
    "Flatten": ([node("GlobalAveragePool", ["x"], ["g"]), node("Flatten", ["g"], ["y"])], {}),
    "Reshape": ([node("Reshape", ["x", "s"], ["y"])], {"s": np.array([1, -1])}),
    "Squeeze": (
        [node("GlobalAveragePool", ["x"], ["g"]), node("Squeeze", ["g", "a"], ["y"])], {"a": np.array([2, 3])}
    ),
}  # fmt: skip


def gradient(of: Graph, value: Values, seed: Values) -> NDArray[np.float64]:
    """By the rules, of the sum of ``seed`` times the output."""
    made, shape = of.copy(), of.shape(of.output)
    made.add_graph_input(helper.make_tensor_value_info("seed", TensorProto.FLOAT, shape))
    found = differentiate(Emitter(made), {of.output: "seed"}, [of.input])
    session = Evaluator(made.proto(), [found[of.input]])
    return session.feed({of.input: value, "seed": seed})[found[of.input]].astype(np.float64)


def slope(
    of: Graph, value: NDArray[np.float32], seed: NDArray[np.float32], way: NDArray[np.float32]
) -> float:
    """By a difference, along a direction."""
    session, step = Evaluator(of.proto(), optimize=False), np.float32(1e-3)
    ends = [session.run(value + side * step * way)[of.output].astype(np.float64) for side in (1, -1)]
    return float(((ends[0] - ends[1]) * seed).sum() / (2 * step))


@pytest.mark.parametrize("case", CASES)
def test_the_rule_is_the_slope(case: str) -> None:
    nodes, weights = CASES[case]
    small, generator = graph(nodes, weights, SHAPE, opset=14), np.random.default_rng(5)
    value = generator.uniform(0.02, 0.98, SHAPE).astype(np.float32) * generator.choice([-4, -1, 1, 4], SHAPE)
    value = value.astype(np.float32)
    seed = generator.normal(0, 1, small.shape(small.output)).astype(np.float32)
    found = gradient(small, value, seed)
    for _ in range(3):
        way = generator.normal(0, 1, SHAPE).astype(np.float32)
        assert float((found * way).sum()) == pytest.approx(slope(small, value, seed, way), rel=0.01, abs=0.02)


def test_every_rule_is_tried() -> None:
    tried = {item.op_type for nodes, _ in CASES.values() for item in nodes}
    assert tried == RULES.keys()


def test_an_operator_without_a_rule_is_told() -> None:
    small = graph([node("Relu", ["x"], ["r"]), node("Exp", ["r"], ["y"])])
    assert not differentiable(small, ["x"])
    assert not differentiable(small, ["r"])
    assert differentiable(graph([node("Exp", ["x"], ["e"]), node("Relu", ["e"], ["y"])]), ["e"])


def test_the_gradient_of_a_tensor_within_a_network(model: Model) -> None:
    """A change of one channel moves an answer as its gradient says."""
    prepared = Graph(prepare(model).proto)
    name = next(item.output[0] for item in prepared.nodes if item.op_type in ("Clip", "Relu"))
    made = prepared.copy()
    shape = made.shape(made.output)
    made.add_graph_input(helper.make_tensor_value_info("seed", TensorProto.FLOAT, shape))
    found = differentiate(Emitter(made), {made.output: "seed"}, [name])
    pixels, seed = smooth_images(3, 1, 64, 64)[0][None], np.zeros(shape, np.float32)
    seed[0, 1] = 1
    grad = Evaluator(made.proto(), [found[name]]).feed({prepared.input: pixels, "seed": seed})[found[name]]
    nudged, step = prepared.copy(), np.float32(1e-4)
    way = np.zeros(grad.shape, np.float32)
    way[0, int(np.abs(grad).sum(axis=(0, 2, 3)).argmax())] = step
    added = helper.make_node("Add", [name, nudged.add_constant("way", way)], ["nudged"])
    following = nudged.following(nudged.producer(name))
    nudged.redirect(name, "nudged")
    nudged.insert(following, added, prepared.shape(name))
    moved = [Evaluator(item.proto()).row(pixels)[1] for item in (nudged, prepared)]
    assert moved[0] - moved[1] == pytest.approx(float((grad * way).sum()), rel=0.05)
