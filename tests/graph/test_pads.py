"""Pads of a convolution, held to what ONNX Runtime computes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgenet.graph.pads import conv_pads
from edgenet.graph.passes.equalize import depthwise
from edgenet.quantize.rounding.second_moments import columns
from tests.graph.small import answers, graph, inputs, node, random

RULES = ("SAME_UPPER", "SAME_LOWER", "VALID")


@pytest.mark.parametrize(("rule", "stride", "side"), [*itertools.product(RULES, (1, 2, 3), (1, 2, 3, 5))])
def test_pads_by_a_rule_are_those_of_the_runtime(rule: str, stride: int, side: int) -> None:
    kernel = {"w": random(4, 3, side, 3), "b": random(4, seed=1)}
    options = {"strides": [stride, 2]}
    ruled = graph([node("Conv", ["x", "w", "b"], ["y"], auto_pad=rule, **options)], kernel)
    conv = ruled.nodes[0]
    pads = conv_pads(conv, ruled.shape("x")[2:], (side, 3))
    written = graph([node("Conv", ["x", "w", "b"], ["y"], pads=pads, **options)], kernel)
    assert conv_pads(written.nodes[0], ruled.shape("x")[2:], (side, 3)) == pads
    shown = inputs(ruled)
    assert np.array_equal(answers(ruled.proto(), shown), answers(written.proto(), shown))
    seen = columns(shown[0], conv, (side, 3), depthwise(ruled, conv), 10_000)[0]
    product = kernel["w"].reshape(4, -1) @ seen + kernel["b"][:, None]
    expected = answers(ruled.proto(), shown[:1])[0].reshape(4, -1)
    assert product == pytest.approx(expected, abs=1e-4), "the windows are those that are multiplied"
