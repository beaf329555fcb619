"""Settled scales: whole-number ratios, the same real values, and hard-swish as good as its own operator."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.align_scales import align_scales
from edgenet.graph.qdq.rescale import fraction, quantizer, scale_of
from edgenet.model import Model
from tests.backends.tflite_graphs import Net, images, quantized, v2_like


@given(st.floats(1e-2, 200))
def test_a_fraction_is_odd_below_and_hardly_larger(ratio: float) -> None:
    top, bottom = fraction(ratio)
    assert bottom % 2 == 1
    assert bottom <= (1023 if ratio < 0.6 else 255)
    assert ratio * (1 - 1e-8) <= top / bottom <= ratio * 1.01 + 1e-4


def swishing() -> Model:
    net = Net(24, 24)
    top = net.node("HardSwish", net.conv(net.top, 3, 16, clip=None, gain=3.0, pads=[1, 1, 1, 1]))
    other = net.conv(top, 16, 16, 1, None, gain=2.0)
    top = net.node("Add", top, other)
    net.classify(net.node("Mul", top, net.conv(net.node("GlobalAveragePool", top), 16, 16, 1)), 16)
    return net.model()


def test_every_sum_is_an_odd_fraction() -> None:
    for model, sums in ((v2_like(), 2), (swishing(), 3)):
        graph = Graph(quantized(model).proto)
        assert align_scales(graph) == sums
        for node in [node for node in graph.nodes if node.op_type == "Add"]:
            parts = [quantizer(graph, name) for name in node.input]
            result = graph.consumers(node.output[0])[0]
            for part in [part for part in parts if part is not None]:
                ratio = scale_of(graph, part) / scale_of(graph, result)
                near = Fraction(ratio).limit_denominator(255)
                assert abs(float(near) / ratio - 1) < 1e-6
                assert near.denominator % 2 == 1


def test_scales_only_grow_and_little() -> None:
    before, after = (Graph(quantized(v2_like()).proto) for _ in "ab")
    align_scales(after)
    for old, new in zip(before.nodes, after.nodes, strict=True):
        if old.op_type == "QuantizeLinear":
            assert 1 - 1e-6 <= scale_of(after, new) / scale_of(before, old) < 1.03


def test_the_network_stays_what_it_was() -> None:
    """Against the float network: settling and splitting cost next to nothing."""
    model = swishing()
    small = quantized(model)
    shown = images(model, 20)
    graph = Graph(small.proto)
    assert align_scales(graph) > 0
    assert "HardSwish" not in {node.op_type for node in graph.nodes}
    exact, plain, settled = (
        np.stack([Evaluator(proto, optimize=False).row(picture) for picture in shown])
        for proto in (model.proto, small.proto, graph.proto())
    )
    errors = [np.abs(answers - exact).mean() / np.ptp(exact) for answers in (plain, settled)]
    assert errors[1] < 1.25 * errors[0] + 1e-3


def test_a_range_that_stands_for_a_relu6_keeps_its_end() -> None:
    net = Net(24, 24)
    first = net.conv(net.top, 3, 8, gain=4.0)
    second = net.conv(net.top, 3, 8, gain=4.0)
    net.classify(net.node("Add", first, second), 8)
    graph = Graph(quantized(net.model()).proto)
    align_scales(graph)
    for node in [node for node in graph.nodes if node.op_type == "Add"]:
        parts = [quantizer(graph, name) for name in node.input]
        assert all(scale_of(graph, part) * 255 <= 6.0 * (1 + 1e-6) for part in parts if part is not None)
