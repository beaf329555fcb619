"""Every weight to its nearest step: scales and noise worked out by hand on a network of three layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgenet.graph.graph import Graph
from edgenet.quantize.rounding.round_to_nearest import nearest
from edgenet.recipe import Recipe

KERNELS = {
    # 60.4 steps of 0.01 lose 0.004: mean squares 0.988858 of the signal, 0.000008 of the noise.
    "a": np.array([[1.27, 0.604], [0.254, 0.1]], np.float32),
    # In steps of 2**-7 nothing is lost.
    "b": np.array([[127, -64], [-127, 2]], np.float32) / 128,
    "c": np.zeros((2, 2), np.float32),
}
BIASES = {"a": [0.5, -0.01], "b": [0.5, 0.25], "c": [3.0, 0.0]}


@pytest.fixture
def graph() -> Graph:
    """pixels → a → Reshape → b → Relu → c."""
    shape = [1, 2, 1, 1]
    made = [numpy_helper.from_array(np.array(shape, np.int64), "shape")]
    for name, kernel in KERNELS.items():
        made.append(numpy_helper.from_array(kernel.reshape(2, 2, 1, 1), f"{name}/kernel"))
        made.append(numpy_helper.from_array(np.array(BIASES[name], np.float32), f"{name}/bias"))
    convs = [
        helper.make_node("Conv", [source, f"{name}/kernel", f"{name}/bias"], [name], name=title)
        for source, name, title in (("x", "a", "first"), ("flat", "b", ""), ("relu", "c", ""))
    ]
    nodes = [
        convs[0],
        helper.make_node("Reshape", ["a", "shape"], ["flat"]),
        convs[1],
        helper.make_node("Relu", ["b"], ["relu"]),
        convs[2],
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "c")]
    opset = [helper.make_opsetid("", 13)]
    return Graph(
        helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], made), opset_imports=opset)
    )


RANGES = {"a": (0.0, 1.275), "relu": (0.0, 5.1)}


def test_scales_and_steps_of_every_layer(graph: Graph) -> None:
    """The pixels have steps of 1; a reshaped tensor has those of what it was."""
    made = nearest(graph, RANGES, replace(Recipe.load("int8-minmax"), granularity="per-channel"))
    assert {name: item.scale for name, item in made.tensors.items()} == pytest.approx(
        {"a": 0.005, "relu": 0.02}
    )
    assert made.weights["a"].values.reshape(2, 2).tolist() == [[127, 60], [127, 50]]
    assert made.weights["a"].bias.tolist() == [50, -5]
    assert made.weights["b"].bias_scales == pytest.approx([0.005 / 128] * 2)
    assert made.weights["b"].bias.tolist() == [12800, 6400]
    assert made.weights["c"].bias_scales == pytest.approx([0.02] * 2)
    assert made.weights["c"].bias.tolist() == [150, 0]
    assert made.biases["b"].tolist() == [0.5, 0.25]


def test_one_scale_a_kernel_where_the_recipe_says_so(graph: Graph) -> None:
    made = nearest(graph, RANGES, replace(Recipe.load("int8-minmax"), granularity="per-tensor"))
    assert made.weights["a"].values.reshape(2, 2).tolist() == [[127, 60], [25, 10]]


def test_the_noise_by_hand(graph: Graph) -> None:
    """10 log10 of signal over noise: of 1.27, 0.604, 0.254 and 0.1 only the second is not met."""
    made = nearest(graph, RANGES, replace(Recipe.load("int8-minmax"), granularity="per-channel"))
    signal = 1.27**2 + 0.604**2 + 0.254**2 + 0.1**2
    expected = round(10 * float(np.log10(signal / 0.004**2)), 1)
    assert expected == 51.1
    assert made.layers == [
        {"name": "first", "sqnr_db": expected},
        {"name": "b", "sqnr_db": 120.0},
        {"name": "c", "sqnr_db": 120.0},
    ]
