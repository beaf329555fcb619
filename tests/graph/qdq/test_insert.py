"""Q/DQ in a float graph: what is written is what was asked for, and costs no more than half a step."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from edgenet.errors import UnsupportedError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.insert import activations, clip_bounds, insert_qdq, insert_weights, set_weights
from edgenet.graph.qparams import Affine, Int8Weights
from tests.backends.tflite_graphs import Net
from tests.graph.small import graph, inputs, keeps, kinds, node

RELU6 = Affine(6 / 255, -128)


def net() -> Graph:
    """pixels → Conv → ReLU6 → Conv → logits."""
    made = Net(6, 6, mean=0)
    made.classify(made.conv(made.top, 3, 4, name="first"), 4)
    return Graph(made.model().proto)


def rounded(of: Graph, conv: str, source_scale: float) -> Int8Weights:
    """The kernel of a convolution to nearest, one scale a channel."""
    found = of.producer(conv)
    assert found is not None
    kernel, bias = (of.constants[name].astype(np.float64) for name in found.input[1:3])
    scales = (np.abs(kernel).max(axis=(1, 2, 3)) / 127).astype(np.float32)
    values = np.round(kernel / scales[:, None, None, None]).astype(np.int8)
    steps = (scales * np.float64(source_scale)).astype(np.float32)
    return Int8Weights(values, scales, np.round(bias / steps).astype(np.int32), steps)


def parameters(of: Graph) -> tuple[dict[str, Affine], dict[str, Int8Weights]]:
    """Ranges as they are for this input, and weights to nearest."""
    first, last = [item.output[0] for item in of.nodes if item.op_type == "Conv"]
    clip = next(item.output[0] for item in of.nodes if item.op_type == "Clip")
    pool = next(item.output[0] for item in of.nodes if item.op_type == "GlobalAveragePool")
    tensors = {clip: RELU6, pool: RELU6, last: Affine(0.05, 3)}
    return tensors, {first: rounded(of, first, 1.0), last: rounded(of, last, RELU6.scale)}


def test_the_tensors_that_need_a_range() -> None:
    small = net()
    assert [small.producer(name).op_type for name in activations(small)] == [
        "Clip",
        "GlobalAveragePool",
        "Conv",
    ]


def test_a_whole_graph_in_int8() -> None:
    small = net()
    before = small.copy()
    tensors, weights = parameters(small)
    assert insert_qdq(small, tensors, weights, 0) == len(tensors) + 1 + len(weights)
    found = kinds(small)
    assert "Clip" not in found, "the range that ends at 6 is the ReLU6"
    assert "Cast" not in found
    assert found["QuantizeLinear"] == 4
    shown = inputs(small)
    exact, got = (Evaluator(item.proto(), optimize=False) for item in (before, small))
    differences = [np.abs(exact.row(item) - got.row(item)).max() for item in shown]
    assert 0 < max(differences) < 3 * 0.05


def test_what_has_no_parameters_stays_float() -> None:
    small = net()
    before = small.copy()
    assert insert_qdq(small, {}, {}, 0) == 0
    assert kinds(small) == kinds(before) - Counter(Cast=1) + Counter(DequantizeLinear=1)
    keeps(before, small, 0.0)


def test_an_activation_that_the_range_does_not_imply_stays() -> None:
    small = net()
    tensors, weights = parameters(small)
    clip = next(iter(tensors))
    insert_qdq(small, {**tensors, clip: Affine(12 / 255, -128)}, weights, 0)
    assert kinds(small)["Clip"] == 1


def test_kernels_alone() -> None:
    small = net()
    before = small.copy()
    _, weights = parameters(small)
    biases = {name: small.constants[small.producer(name).input[2]] for name in weights}
    assert insert_weights(small, weights, biases) == 2
    assert kinds(small) == kinds(before) + Counter(DequantizeLinear=2)
    keeps(before, small, 0.05)
    assert insert_weights(small, {}, {}) == 0


def test_other_float_weights() -> None:
    small = net()
    before = small.copy()
    first = next(item for item in small.nodes if item.op_type == "Conv")
    own = tuple(small.constants[name] for name in first.input[1:3])
    assert set_weights(small, {first.output[0]: own}) == 1
    keeps(before, small, 0.0)
    shown = inputs(small)[0]
    doubled = Evaluator(before.proto(), [first.output[0]], optimize=False).run(shown)[first.output[0]] * 2
    set_weights(small, {first.output[0]: (own[0] * 2, own[1] * 2)})
    got = Evaluator(small.proto(), [first.output[0]], optimize=False).run(shown)[first.output[0]]
    assert np.allclose(got, doubled, rtol=1e-5)


def test_an_infinite_operand_is_refused_and_a_finite_one_has_its_own_scale() -> None:
    for value in (np.inf, 0.5):
        made = Net(6, 6, mean=0)
        top = made.node(
            "Mul", made.conv(made.top, 3, 4), made.constant(np.full((1, 4, 1, 1), value, np.float32))
        )
        made.classify(top, 4)
        small = Graph(made.model().proto)
        if np.isinf(value):
            with pytest.raises(UnsupportedError, match="infinite operand"):
                insert_qdq(small, {top: RELU6}, {}, 0)
        else:
            insert_qdq(small, {top: RELU6}, {}, 0)
            product = small.producer(top)
            assert product is not None
            held = small.producer(product.input[1])
            assert held is not None
            assert float(small.constants[held.input[1]]) == pytest.approx(0.5 / 127)


def test_a_graph_that_is_not_prepared_is_none() -> None:
    with pytest.raises(ValueError, match="not a prepared graph"):
        insert_qdq(graph([node("Relu", ["x"], ["y"])]), {}, {}, None)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (["low", "high"], (-1, 2)),
        (["low"], (-1, np.inf)),
        (["", "high"], (-np.inf, 2)),
        ([], (-np.inf, np.inf)),
    ],
)
def test_the_limits_of_a_clip(limits: list[str], expected: tuple[float, float]) -> None:
    held = {"low": np.array(-1.0), "high": np.array(2.0)}
    small = graph([node("Clip", ["x", *limits], ["y"])], held)
    assert clip_bounds(small, small.nodes[0]) == expected
