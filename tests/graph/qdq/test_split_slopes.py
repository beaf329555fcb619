"""Int8 PRelu as a product and a sum: as near to the float operator as the operator itself, and no ties."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.graph.graph import Graph
from edgenet.graph.qdq.align_scales import align_scales
from edgenet.graph.qdq.rescale import odd_sum, quantizer, scale_of
from edgenet.graph.qdq.split_slopes import channel_slopes, slopes_int8
from edgenet.model import Model
from tests.backends.tflite_graphs import Net, images, quantized
from tests.graph.small import answers, graph, kinds, node, written


def sloped(slopes: np.ndarray | float, summed: bool = False) -> Model:
    """Conv → PRelu (a number: LeakyRelu) → head; ``summed``: it stands between two sums."""
    made = Net(12, 12)
    source = made.conv(made.top, 3, 8, clip=None, gain=3.0)
    if summed:
        source = made.node("Add", source, made.conv(made.top, 3, 8, clip=None, gain=2.0))
    if isinstance(slopes, float):
        top = made.node("LeakyRelu", source, alpha=slopes)
    else:
        top = made.node("PRelu", source, made.constant(slopes.astype(np.float32)))
    if summed:
        top = made.node("Add", top, made.conv(top, 8, 8, 1, None))
    made.classify(top, 8)
    return made.model()


GENTLE = np.linspace(-1, 1, 8).reshape(8, 1, 1)


@pytest.mark.parametrize(
    "slopes",
    [GENTLE, np.linspace(-4, 0.9, 8).reshape(1, 8, 1, 1), np.array([[[0.25]]]), 0.1, -0.5],
    ids=["gentle", "down to -4", "one", "leaky", "leaky below zero"],
)
@pytest.mark.parametrize("summed", [False, True])
def test_the_operator_is_gone_and_the_answers_are_as_near_as_before(
    slopes: np.ndarray | float, summed: bool
) -> None:
    model = sloped(slopes, summed)
    canonical = Graph(quantized(model).proto)
    split = canonical.copy()
    assert align_scales(split) >= 2
    assert not {"PRelu", "LeakyRelu"} & set(kinds(split))
    shown = images(model, 10)
    exact, before, after = (answers(item.proto(), shown) for item in (Graph(model.proto), canonical, split))
    errors = [np.abs(item - exact).mean() / np.ptp(exact) for item in (before, after)]
    assert errors[1] < 1.5 * errors[0] + 2e-3


@pytest.mark.parametrize("summed", [False, True])
def test_neither_the_product_nor_a_sum_is_ever_near_a_tie(summed: bool) -> None:
    split = Graph(quantized(sloped(GENTLE, summed)).proto)
    align_scales(split)
    found = 0
    for item in [item for item in split.nodes if item.op_type in ("Add", "Mul")]:
        parts = [quantizer(split, name) for name in item.input]
        scales = [scale_of(split, part) for part in parts if part is not None]
        if len(scales) < len(parts):
            if item.op_type == "Add":
                continue  # the pixels' mean
            constant = split.producer(item.input[1])
            assert constant is not None
            scales = [scales[0] * float(split.constants[constant.input[1]])]
        for scale in scales:
            ratio = scale / scale_of(split, split.consumers(item.output[0])[0])
            near = Fraction(ratio).limit_denominator(1023)
            assert abs(float(near) / ratio - 1) < 1e-6
            assert near.denominator % 2 == 1
            found += 1
    assert found >= 3


@given(st.floats(1e-4, 1e2), st.floats(1e-3, 1e1), st.floats(2e-2, 1e1))
def test_scales_of_a_sum_only_grow_and_the_result_is_an_odd_part(one: float, more: float, out: float) -> None:
    settled = odd_sum(one, one * more, one * out)
    assert settled is not None
    assert settled.other >= one * more * (1 - 1e-8)
    assert settled.result >= one * out * (1 - 1e-8)
    near = Fraction(one / settled.result).limit_denominator(255)
    assert near.denominator % 2 == 1
    assert abs(float(near) * settled.result / one - 1) < 1e-9


@settings(max_examples=20, derandomize=True)
@given(st.lists(st.floats(-4, 1), min_size=8, max_size=8), st.integers(0, 99))
def test_each_number_is_the_float_operators_up_to_the_roundings(slopes: list[float], seed: int) -> None:
    """x is rounded, so is what is added below zero, and the sum: half a step of each, and of the slopes."""
    made = Net(6, 6, seed=seed)
    source = made.conv(made.top, 3, 8, clip=None, gain=3.0)
    made.node("PRelu", source, made.constant(np.float32(slopes).reshape(8, 1, 1)))
    made.classify(made.nodes[-1].output[0], 8)
    model = made.model()
    split = Graph(quantized(model).proto)
    align_scales(split)
    (total,) = [
        item for item in split.nodes if item.op_type == "Add" and quantizer(split, item.input[0])
    ] or [None]
    if total is None:
        return  # nothing was below zero
    x, below = (quantizer(split, name) for name in total.input)
    assert x is not None
    assert below is not None
    step = scale_of(split, x)
    whole = np.arange(-128, 128) - int(split.constants[x.input[2]])
    product = split.producer(below.input[0])
    assert product is not None
    constant = split.producer(product.input[1])
    assert constant is not None
    held, scale, zero = (split.constants[name].astype(float) for name in constant.input)
    less = (held.reshape(-1) - zero) * scale
    assert np.abs(less - (np.array(slopes) - 1)).max() <= scale / 2 + 1e-6
    added = np.clip(np.round(np.outer(less, whole * step) / scale_of(split, below)), 0, 255)
    given_ = whole * step + added * scale_of(split, below)
    wanted = np.where(whole >= 0, whole * step, np.outer(slopes, whole * step))
    assert np.abs(given_ - wanted).max() <= (scale / 2) * step * 128 * 2 + scale_of(split, below) / 2 + 1e-6


def test_slopes_above_one_and_a_float_one_are_left_alone() -> None:
    steep = np.linspace(0, 1.5, 8).reshape(8, 1, 1)
    for proto in (quantized(sloped(steep)).proto, sloped(GENTLE).proto):
        small = Graph(proto)
        before = written(small)
        (item,) = [item for item in small.nodes if item.op_type == "PRelu"]
        assert slopes_int8(small, item, set()) == 0
        assert written(small) == before


def test_slopes_are_one_a_channel_or_one() -> None:
    def of(values: np.ndarray) -> np.ndarray | None:
        small = graph([node("PRelu", ["x", "s"], ["y"])], {"s": values})
        return channel_slopes(small, small.nodes[0])

    assert of(np.ones((3, 1, 1))).shape == (3,)  # type: ignore[union-attr]
    assert of(np.ones((1, 3, 1, 1))).shape == (3,)  # type: ignore[union-attr]
    assert of(np.ones(1)).shape == (1,)  # type: ignore[union-attr]
    assert of(np.ones((3, 6, 5))) is None
    assert of(np.ones(5)) is None, "five numbers are those of the columns"
    assert of(np.full((3, 1, 1), np.nan)) is None
