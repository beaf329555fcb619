"""The forms of CPU kernels: every form means the same real numbers, computed node by node."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.onnxruntime import QDQ_FORMATS, _guard_float_convolutions, int8_outputs, to_qdq_format
from tests.backends.tflite_graphs import Net, quantized, v1_like
from tests.graph.small import answers, graph, inputs, keeps, node, written


@pytest.fixture(scope="module")
def canonical() -> Graph:
    return Graph(quantized(v1_like(17, 16)).proto)


def held(of: Graph, index: int) -> set[str]:
    """Types of what DequantizeLinear reads: its values (0) or zero points (2), of int8 width."""
    names = [item.input[index] for item in of.nodes if item.op_type == "DequantizeLinear"]
    types = {of.constants[name].dtype.name for name in names if name in of.constants}
    return types - {"int32"}


@pytest.mark.parametrize("form", QDQ_FORMATS)
def test_every_form_computes_the_same(canonical: Graph, form: str) -> None:
    made = canonical.copy()
    assert to_qdq_format(made, form) > 0
    keeps(canonical, made, 0.0)


def test_the_types_are_those_of_the_form(canonical: Graph) -> None:
    made = {form: canonical.copy() for form in QDQ_FORMATS}
    for form, item in made.items():
        to_qdq_format(item, form)
    assert (held(made["s8s8"], 0), held(made["u8u8"], 0)) == ({"int8"}, {"uint8"})
    assert held(made["u8s8"], 0) == {"int8"}, "kernels stay"
    activations = [item for item in made["u8s8"].nodes if item.op_type == "QuantizeLinear"]
    assert {made["u8s8"].constants[item.input[2]].dtype.name for item in activations} == {"uint8"}


def test_a_second_time_nothing_is_left_to_do(canonical: Graph) -> None:
    made = canonical.copy()
    to_qdq_format(made, "u8u8")
    before = written(made)
    assert to_qdq_format(made, "u8u8") == 0
    assert written(made) == before


def test_a_float_convolution_between_int8_tensors_stays_float(canonical: Graph) -> None:
    made = canonical.copy()
    conv = [item for item in made.nodes if item.op_type == "Conv"][1]
    for index in (1, 2):
        dequantize = made.producer(conv.input[index])
        assert dequantize is not None
        steps, scales = (made.constants[name] for name in dequantize.input[:2])
        real = steps * scales.reshape(-1, *[1] * (steps.ndim - 1))
        made.set_input(conv, index, made.add_constant(f"float{index}", real.astype(np.float32)))
        made.remove(dequantize)
    before = made.copy()
    assert to_qdq_format(made, "u8s8") > 0
    keeps(before, made, 0.0)


def test_no_runtime_rounds_the_weights_of_a_guarded_convolution() -> None:
    generator = np.random.default_rng(3)
    kernel = generator.normal(0, 1, (4, 3, 3, 3)) * np.array([1e-2, 1e-2, 1, 1]).reshape(4, 1, 1, 1)
    scales = {"scale": np.asarray(0.05, np.float32), "fine": np.asarray(0.002, np.float32)}
    nodes = [
        node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        node("DequantizeLinear", ["q", "scale", "zero"], ["real"]),
        node("Conv", ["real", "kernel", "bias"], ["c"], name="c"),
        node("QuantizeLinear", ["c", "fine", "zero"], ["cq"]),
        node("DequantizeLinear", ["cq", "fine", "zero"], ["y"]),
    ]
    made = graph(nodes, {"kernel": kernel, "bias": np.zeros(4), "zero": np.asarray(0, np.int8), **scales})
    _guard_float_convolutions(made)
    shown = inputs(made)
    optimized = np.stack([Evaluator(made.proto()).row(item) for item in shown])
    plain = answers(made.proto(), shown)
    assert np.abs(optimized - plain).max() <= 1.01 * scales["fine"], "but for what lies on a tie"


@pytest.mark.parametrize("form", ["", *QDQ_FORMATS])
def test_int8_scores_are_the_float_ones(canonical: Graph, form: str) -> None:
    made = canonical.copy()
    if form:
        to_qdq_format(made, form)
    scales = int8_outputs(made)
    assert scales is not None
    (affine,) = scales.outputs
    assert made.outputs[made.output].type.tensor_type.elem_type == TensorProto.INT8
    shown = inputs(canonical)
    steps = answers(made.proto(), shown)
    assert steps.dtype == np.int8
    real = affine.scale * (steps.astype(np.float64) - affine.zero_point)
    assert np.allclose(real, answers(canonical.proto(), shown), rtol=1e-6)


def test_float_scores_stay() -> None:
    made = Net(8, 8)
    made.classify(made.conv(made.top, 3, 4), 4)
    small = Graph(made.model().proto)
    before = written(small)
    assert int8_outputs(small) is None
    assert written(small) == before


def test_what_is_not_quantized_is_refused() -> None:
    with pytest.raises(ValueError, match="not a quantized graph"):
        to_qdq_format(graph([node("Relu", ["x"], ["y"])]), "s8s8")
