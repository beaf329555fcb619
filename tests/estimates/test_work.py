"""What networks ask of a processor."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgenet.errors import ModelError
from edgenet.estimates.work import LayerWork, work_of, work_of_named
from edgenet.graph.cost import cost
from edgenet.graph.layers import layers
from edgenet.zoo import embedded, mobilenet_v1
from edgenet.zoo.named import named

SMALL = ("v1-0.25-32", "v2-0.35-32", "v3-small-0.35-32", "v3-large-0.35-32")


@pytest.mark.parametrize("name", SMALL)
def test_it_is_what_the_layers_of_the_whole_graph_say(name: str) -> None:
    network = named(name)
    assert network is not None
    proto = network.build()
    work = work_of(proto)
    assert work.layers == tuple(LayerWork(layer.macs, layer.values) for layer in layers(proto))
    assert work.macs == cost(proto).macs
    assert work.family == network.family[:2]
    assert work_of_named(network) == work


def test_multiply_adds_are_the_papers_not_the_pages_wrong_ones() -> None:
    network = named("v1-0.75-224")
    assert network is not None
    assert round(work_of_named(network).macs / 1e6, 1) == 325.4  # as the paper has it; the page says 317


def test_the_graph_is_not_touched() -> None:
    proto = mobilenet_v1(0.25, 32)
    before = proto.SerializeToString(deterministic=True)
    work_of(proto)
    assert proto.SerializeToString(deterministic=True) == before


def test_embedded_models_are_of_the_family_they_were_built_of() -> None:
    assert work_of(onnx.load(embedded("signs"))).family == "v1"
    assert work_of(onnx.load(embedded("scenes"))).family == "v1"


def network_of(kernels: list[np.ndarray], groups: list[int]) -> onnx.ModelProto:
    nodes, names = [], ["input", *(f"t{number}" for number in range(len(kernels)))]
    for number, kernel in enumerate(kernels):
        side = kernel.shape[2] // 2
        nodes.append(
            helper.make_node(
                "Conv", [names[number], f"w{number}"], [names[number + 1]], name=f"c{number}",
                kernel_shape=list(kernel.shape[2:]), pads=[side] * 4, group=groups[number],
            )
        )  # fmt: skip
    depth = kernels[-1].shape[0]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info(names[-1], TensorProto.FLOAT, [1, depth, 8, 8])],
        [numpy_helper.from_array(kernel, f"w{number}") for number, kernel in enumerate(kernels)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def test_a_network_of_plain_convolutions_is_no_mobilenet() -> None:
    plain = [np.zeros((8, 3, 3, 3), np.float32), np.zeros((8, 8, 3, 3), np.float32)]
    assert work_of(network_of(plain, [1, 1])).family is None
    pointwise = [np.zeros((8, 3, 1, 1), np.float32), np.zeros((8, 8, 1, 1), np.float32)]
    assert work_of(network_of(pointwise, [1, 1])).family is None


def test_depthwise_and_pointwise_make_a_mobilenet() -> None:
    kernels = [np.zeros((3, 1, 3, 3), np.float32), np.zeros((8, 3, 1, 1), np.float32)]
    work = work_of(network_of(kernels, [3, 1]))
    assert work.family == "v1"
    assert [layer.macs for layer in work.layers] == [8 * 8 * 3 * 9, 8 * 8 * 3 * 8]


def test_a_graph_that_computes_nothing_is_refused() -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["input"], ["out"])],
        "g",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3])],
    )
    with pytest.raises(ModelError, match="no convolution"):
        work_of(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]))
