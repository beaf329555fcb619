"""Scales and zero points, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import rel_entr, softmax

from edgenet.graph.graph import Graph
from edgenet.graph.qparams import Affine
from edgenet.quantize.calibration.ranges import affine, output_range, quantize_weights, with_headroom
from tests.backends.tflite_graphs import Net

TINY = 2.0**-126


@pytest.mark.parametrize(
    ("low", "high", "scale", "zero_point"),
    [
        (0.0, 2.55, 0.01, -128),
        (-1.28, 1.27, 0.01, 0),
        (-2.55, 0.0, 0.01, 127),
        (-0.51, 2.04, 0.01, -77),
        # Zero lies within, whatever was seen.
        (1.0, 2.55, 0.01, -128),
        (0.5, 0.51, 0.002, -128),
        (-2.55, -1.0, 0.01, 127),
        (-0.51, -0.25, 0.002, 127),
        # The smallest normal number is still a step; below it there is nothing but zero.
        (0.0, 255 * TINY, TINY, -128),
        (0.0, 254 * TINY, 1 / 255, -128),
        (0.0, 0.0, 1 / 255, -128),
    ],
)
def test_an_activation(low: float, high: float, scale: float, zero_point: int) -> None:
    assert affine(low, high) == Affine(float(np.float32(scale)), zero_point)


@pytest.mark.parametrize(("low", "high", "span"), [
    (0.0, 327.67, 327.67), (-1.0, 0.5, 1.0), (-0.25, 2.0, 2.0), (0.5, 1.0, 1.0), (0.0, 0.0, 1.0),
])  # fmt: skip
def test_an_activation_of_16_bits_is_symmetric(low: float, high: float, span: float) -> None:
    assert affine(low, high, 16) == Affine(float(np.float32(span / 32767)), 0, 16)


def test_headroom_goes_as_far_as_the_activation_lets_values_go() -> None:
    net = Net(6, 6)
    clipped = net.conv(net.top, 3, 4)
    positive = net.node("Relu", net.conv(clipped, 4, 4, clip=None))
    free = net.conv(positive, 4, 4, 1, None)
    net.classify(free, 4)
    graph = Graph(net.model().proto)
    clip, relu, conv = (_made_by(graph, kind) for kind in ("Clip", "Relu", "Conv"))
    assert with_headroom(graph, clip, (0.0, 4.0), 0.25) == (0.0, 5.0)
    assert with_headroom(graph, clip, (-1.0, 5.0), 0.25) == (0.0, 6.0)
    assert with_headroom(graph, relu, (-1.0, 8.0), 0.25) == (0.0, 10.0)
    assert with_headroom(graph, conv, (-2.0, 8.0), 0.25) == (-2.5, 10.0)
    assert with_headroom(graph, graph.input, (-2.0, 8.0), 0.25) == (-2.5, 10.0)


def _made_by(graph: Graph, kind: str) -> str:
    """The last tensor of a kind of operator that is no score."""
    return [node.output[0] for node in graph.nodes if node.op_type == kind][-2 if kind == "Conv" else -1]


def test_a_kernel_by_channel() -> None:
    """127 steps to the largest weight; the bias in steps of both scales."""
    kernel = np.array([[1.27, -0.6, 0.0104], [0.254, 0.05, -0.0171]], np.float32).reshape(2, 1, 3, 1)
    rounded = quantize_weights(kernel, np.array([0.5, -0.0104], np.float32), 0.5)
    assert rounded.values.reshape(2, 3).tolist() == [[127, -60, 1], [127, 25, -9]]
    assert rounded.values.shape == kernel.shape
    assert rounded.scales == pytest.approx([0.01, 0.002])
    assert rounded.bias_scales == pytest.approx([0.005, 0.001])
    assert rounded.bias.tolist() == [100, -10]
    assert [part.dtype for part in (rounded.values, rounded.scales, rounded.bias)] == ["i1", "f4", "i4"]


def test_a_kernel_with_one_scale() -> None:
    kernel = np.array([[-1.27, 0.6], [0.254, 0.05]], np.float32)
    rounded = quantize_weights(kernel, np.zeros(2, np.float32), 0.5, False)
    assert rounded.values.tolist() == [[-127, 60], [25, 5]]
    assert rounded.scales == pytest.approx([0.01, 0.01])


def test_a_dead_channel_has_a_scale_of_one() -> None:
    rounded = quantize_weights(np.zeros((1, 4), np.float32), np.array([3.2], np.float32), 1.0)
    assert (rounded.values.any(), rounded.scales.tolist(), rounded.bias.tolist()) == (False, [1.0], [3])


@pytest.mark.parametrize("bias", [1.0, -1.0])
def test_a_bias_may_use_half_of_int32(bias: float) -> None:
    """A bias of 1 at an input scale of 2 needs steps of 2**-31 and more in the weights: 2**30 of both."""
    rounded = quantize_weights(np.full((1, 1), 1e-9, np.float32), np.array([bias], np.float32), 2.0)
    assert rounded.scales.tolist() == [2.0**-31]
    assert rounded.bias.tolist() == [bias * 2**30]
    assert rounded.values.tolist() == [[2]], "1e-9 in steps of 4.66e-10"


def test_scales_are_normal_numbers() -> None:
    rounded = quantize_weights(np.full((1, 1), 2e-38, np.float32), np.zeros(1, np.float32), 1.0)
    assert rounded.scales.tolist() == [TINY]
    assert rounded.values.tolist() == [[2]]


def divergence(wanted: np.ndarray) -> Callable[[np.ndarray], float]:
    """Kullback-Leibler by scipy."""
    truth = softmax(wanted.astype(float), axis=1)
    return lambda got: float(rel_entr(truth, softmax(got, axis=1)).sum(axis=1).mean())


def best(got: np.ndarray, wanted: np.ndarray) -> Affine:
    """Eleven lower and thirteen upper ends, tried one by one."""
    low, high = min(got.min(), 0.0), max(got.max(), 0.0)
    tried = [affine(low * (10 - i) / 10, high * (20 - j) / 20) for i in range(11) for j in range(13)]
    costs = []
    for item in tried:
        ticks = np.rint(got / np.float32(item.scale)) + item.zero_point
        costs.append(
            divergence(wanted)((np.minimum(np.maximum(ticks, -128), 127) - item.zero_point) * item.scale)
        )
    return tried[int(np.argmin(costs))]


@pytest.mark.parametrize("seed", range(8))
def test_the_range_of_logits_is_the_best_of_all(seed: int) -> None:
    generator = np.random.default_rng(seed)
    wanted = (generator.normal(size=(40, 6)) * [9, 1, 1, 4, 1, 12] - [0, 0, 0, 20, 0, 0]).astype(np.float32)
    got = wanted + generator.normal(size=wanted.shape).astype(np.float32) * np.float32(0.05)
    if seed == 6:
        got, wanted = np.abs(got) + 3, np.abs(wanted) + 3
    if seed == 7:
        got, wanted = -np.abs(got) - 3, -np.abs(wanted) - 3
    found, expected = output_range(got, divergence(wanted)), best(got, wanted)
    assert (found.zero_point, found.scale) == (expected.zero_point, pytest.approx(expected.scale, rel=1e-6))


def test_a_class_that_is_never_meant_takes_no_steps() -> None:
    """Two logits 0.1 apart are a tie in steps of a thousand's range; down there nothing can be lost."""
    got = np.array([[10.0, 9.9, -1000.0], [9.9, 10.0, -1000.0]], np.float32)
    chosen = output_range(got, divergence(got))
    assert chosen.scale <= 10 / 255 * 1.0001
    assert chosen.zero_point == -128


def test_what_is_judged_are_the_values_that_int8_leaves() -> None:
    """-2 and 3 in their own range, in one up to 1.2 or 96 steps of 3.2/255, and in one from zero."""
    seen: list[np.ndarray] = []
    output_range(np.array([[-2.0, 3.0]], np.float32), lambda got: float(seen.append(got) or 0))
    assert len(seen) == 11 * 13
    assert seen[0] == pytest.approx(np.array([[-2.0, 3.0]]))
    assert seen[12] == pytest.approx(np.array([[-159, 96]]) * 3.2 / 255)
    assert seen[-13] == pytest.approx(np.array([[0.0, 3.0]]))


def test_of_equally_good_ranges_the_widest_is_taken() -> None:
    got = np.array([[-2.0, 3.0]], np.float32)
    assert output_range(got, lambda _: 0.0) == affine(-2.0, 3.0)
    assert output_range(got, lambda _: float("nan")) == affine(-2.0, 3.0)
