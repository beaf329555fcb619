"""16-bit activations: which tensors may have them, and that taking them out leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.onnxruntime import QDQ_FORMATS, to_qdq_format
from edgenet.graph.qdq.tensorrt import symmetric_qdq
from edgenet.graph.qdq.wide import is_convolved_end, wide_in_float
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from tests.backends.tflite_graphs import Net, images, v2_like

RECIPE = replace(Recipe.load("int8-16x8-heads"), rounding_images=8, positions=64, sweeps=1)


def wide(model: Model) -> Model:
    return quantize(model, RECIPE, images(model, 8))[0]


def rounded(graph: Graph) -> list[str]:
    """The types of integers that activations become."""
    pairs = [node for node in graph.nodes if node.op_type == "QuantizeLinear"]
    return sorted({str(graph.constants[node.input[2]].dtype) for node in pairs})


def test_the_scores_alone_have_sixteen_bits_and_are_within_half_a_step() -> None:
    model = v2_like()
    graph = Graph(wide(model).proto)
    assert rounded(graph) == ["int16", "int8"]
    found = [node for node in graph.nodes if node.op_type == "QuantizeLinear" and node.domain]
    scales = {float(graph.constants[node.input[1]]) for node in found}
    assert {graph.producer(found[0].input[0]).op_type, len(scales)} == {"Conv", 1}
    free = graph.copy()
    assert wide_in_float(free) == len(found) == 2, "behind the convolution, and behind the flattening"
    assert rounded(free) == ["int8"]
    pictures = images(model, 4)
    sessions = [Evaluator(item.proto(), optimize=False) for item in (graph, free)]
    one, other = (np.stack([session.row(item) for item in pictures]) for session in sessions)
    step = scales.pop()
    assert 0 < np.abs(one - other).max() <= step * 0.51
    assert np.allclose(one / step, np.round(one / step), atol=1e-3)


def test_a_graph_with_them_is_read_again_with_its_shapes() -> None:
    graph = Graph(wide(v2_like()).proto)
    again = Graph(graph.proto())
    assert {name: again.shape(name) for node in again.nodes for name in node.output} == {
        name: graph.shape(name) for node in graph.nodes for name in node.output
    }


@pytest.mark.parametrize("form", QDQ_FORMATS)
def test_no_form_of_onnx_runtime_has_them(form: str) -> None:
    graph = Graph(wide(v2_like()).proto)
    to_qdq_format(graph, form)
    assert not {"int16", "uint16"} & {*rounded(graph)}
    assert [item.domain for item in graph.proto().opset_import] == [""]


def test_nor_has_tensorrt() -> None:
    graph = Graph(wide(v2_like()).proto)
    symmetric_qdq(graph)
    assert rounded(graph) == ["int8"]
    assert [item.domain for item in graph.proto().opset_import] == [""]


def test_what_else_is_read_or_no_convolution_computes_has_eight() -> None:
    net = Net()
    inner = net.conv(net.top, 3, 8, name="inner")
    net.classify(net.conv(inner, 8, 8, name="outer"), 8)
    graph = Graph(net.model().proto)
    last = [node.output[0] for node in graph.nodes if node.op_type == "Conv"]
    assert [is_convolved_end(graph, name) for name in last] == [False, False, True]
    pooled = next(node.output[0] for node in graph.nodes if node.op_type == "GlobalAveragePool")
    assert not is_convolved_end(graph, pooled)
    assert not is_convolved_end(graph, graph.output)
