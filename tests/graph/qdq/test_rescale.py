"""Another scale for one tensor: the real values stay within the steps, and what follows follows."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import NodeProto

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.rescale import quantizer, rescale, rescale_bias, scale_of
from tests.backends.tflite_graphs import Net, quantized
from tests.graph.small import answers, inputs, keeps, written


@pytest.fixture(scope="module")
def canonical() -> Graph:
    """Conv → ReLU6 → MaxPool → Conv → logits."""
    made = Net(10, 10)
    top = made.node("MaxPool", made.conv(made.top, 3, 4), kernel_shape=[2, 2], strides=[2, 2])
    made.classify(made.conv(top, 4, 6, 1, None), 6)
    return Graph(quantized(made.model()).proto)


def first(of: Graph) -> NodeProto:
    return next(item for item in of.nodes if item.op_type == "QuantizeLinear")


def test_the_maker_of_an_activation_is_found(canonical: Graph) -> None:
    found = first(canonical)
    real = canonical.consumers(found.output[0])[0].output[0]
    assert quantizer(canonical, real) is found
    assert quantizer(canonical, canonical.input) is None
    kernel = next(item for item in canonical.nodes if item.op_type == "Conv").input[1]
    assert quantizer(canonical, kernel) is None
    assert scale_of(canonical, found) == float(canonical.constants[found.input[1]])


def test_the_same_scale_changes_nothing(canonical: Graph) -> None:
    made = canonical.copy()
    before = written(made)
    assert rescale(made, first(made), scale_of(made, first(made))) == 0
    assert written(made) == before


def test_what_is_the_same_tensor_in_another_shape_follows(canonical: Graph) -> None:
    made = canonical.copy()
    wanted = scale_of(made, first(made)) * 1.01
    changed = rescale(made, first(made), wanted)
    scales = [scale_of(made, item) for item in made.nodes if item.op_type == "QuantizeLinear"]
    assert changed == sum(scale == np.float32(wanted) for scale in scales) == 2, "the pool's result too"
    last = np.ptp(answers(canonical.proto(), inputs(canonical)))
    assert last > 0
    keeps(canonical, made, 0.1)


def test_the_bias_keeps_its_real_value(canonical: Graph) -> None:
    made = canonical.copy()
    conv = [item for item in made.nodes if item.op_type == "Conv"][1]

    def real() -> np.ndarray:
        dequantize = made.producer(conv.input[2])
        assert dequantize is not None
        steps, scales = (made.constants[name].astype(np.float64) for name in dequantize.input[:2])
        return steps * scales

    before = real()
    rescale_bias(made, conv, 1.25)
    dequantize = made.producer(conv.input[2])
    assert dequantize is not None
    step = made.constants[dequantize.input[1]]
    assert np.all(np.abs(real() - before) <= 0.51 * step)


def test_a_float_bias_stays(canonical: Graph) -> None:
    made = canonical.copy()
    conv = next(item for item in made.nodes if item.op_type == "Conv")
    made.set_input(conv, 2, made.add_constant("plain", np.ones(4, np.float32)))
    before = written(made)
    rescale_bias(made, conv, 2.0)
    assert written(made) == before
