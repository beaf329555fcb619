"""TensorRT's form of a canonical int8 graph: symmetric, and as near to the float network."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.tensorrt import symmetric_qdq
from edgenet.model import Model
from tests.backends.tflite_graphs import Net, images, quantized, v2_like
from tests.graph.small import answers, graph, kinds, node


@pytest.fixture(scope="module")
def model() -> Model:
    return v2_like(16)


@pytest.fixture(scope="module")
def canonical(model: Model) -> Graph:
    return Graph(quantized(model).proto)


@pytest.mark.parametrize("float_weights", [False, True])
def test_activations_are_symmetric_and_biases_float(canonical: Graph, float_weights: bool) -> None:
    made = canonical.copy()
    pairs = sum(item.op_type == "QuantizeLinear" for item in canonical.nodes)
    assert symmetric_qdq(made, float_weights) == pairs
    for item in made.nodes:
        if item.op_type in ("QuantizeLinear", "DequantizeLinear"):
            assert not made.constants[item.input[2]].any(), "every zero point is 0"
        if item.op_type == "Conv":
            assert made.constants[item.input[2]].dtype == np.float32
            kernel = made.producer(item.input[1])
            assert kernel is not None
            assert (kernel.input[0] in made.constants) is not float_weights
    assert kinds(made)["Cast"] == 1, "the pixels are cast to float"


@pytest.mark.parametrize("float_weights", [False, True])
def test_the_network_stays_what_it_was(model: Model, canonical: Graph, float_weights: bool) -> None:
    """Symmetric steps are up to twice as wide behind a ReLU, so the error may double."""
    made = canonical.copy()
    symmetric_qdq(made, float_weights)
    shown = images(model, 10)
    exact, before, after = (answers(item.proto(), shown) for item in (Graph(model.proto), canonical, made))
    errors = [np.abs(item - exact).mean() / np.ptp(exact) for item in (before, after)]
    assert errors[1] < 2.5 * errors[0] + 1e-3


def test_both_ways_to_keep_weights_compute_the_same(model: Model, canonical: Graph) -> None:
    stored, inside = canonical.copy(), canonical.copy()
    symmetric_qdq(stored)
    symmetric_qdq(inside, float_weights=True)
    shown = images(model, 3)
    assert np.array_equal(answers(stored.proto(), shown), answers(inside.proto(), shown))


def test_the_logits_and_one_side_of_a_sum_stay_float(canonical: Graph) -> None:
    made = canonical.copy()
    symmetric_qdq(made)
    last = made.producer(made.output)
    assert last is not None
    assert last.op_type == "Flatten"
    for add in [item for item in made.nodes if item.op_type == "Add" and item.input[1] not in made.constants]:
        makers = sorted(made.producer(name).op_type for name in add.input)
        assert makers == ["Conv", "DequantizeLinear"]


def test_a_relu_that_only_the_range_held_is_not_lost_in_a_sum() -> None:
    """Such a side of a sum comes straight from a convolution too, but its pair is what cuts at zero."""
    made = Net(12, 12)
    first = made.conv(made.top, 3, 8, clip=(0.0, np.inf))
    made.classify(made.node("Add", first, made.conv(first, 8, 8, 1, clip=(0.0, np.inf))), 8)
    model = made.model()
    canonical = Graph(quantized(model).proto)
    assert "Clip" not in kinds(canonical), "saturation holds it"
    symmetric = canonical.copy()
    symmetric_qdq(symmetric)
    shown = images(model, 10)
    exact, before, after = (
        answers(item.proto(), shown) for item in (Graph(model.proto), canonical, symmetric)
    )
    errors = [np.abs(item - exact).mean() / np.ptp(exact) for item in (before, after)]
    assert errors[1] < 2.5 * errors[0] + 1e-3


def test_what_is_not_quantized_is_refused() -> None:
    with pytest.raises(ValueError, match="not a quantized graph"):
        symmetric_qdq(graph([node("Relu", ["x"], ["y"])]))
