"""Normalization inside the network: numpy computes it, then Keras's own numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import NodeProto

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.affine import name_affines
from edgenet.graph.passes.fold_normalization import fold_normalization
from edgenet.graph.passes.simplify import simplify
from edgenet.graph.passes.take_normalization import take_normalization
from edgenet.graph.passes.to_nchw import to_nchw
from edgenet.preprocessing import Preprocessing
from tests.graph.small import graph, inputs, kinds, node, random

RAW = ((0.0,) * 3, (1.0,) * 3)
TORCH = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
CONV = {"w": random(4, 3, 3, 3), "b": random(4, seed=1)}


def how(mean: Any = RAW[0], std: Any = RAW[1], color: str = "rgb") -> Preprocessing:
    return Preprocessing((6, 5), color, "none", None, "bilinear", mean, std)


def network(
    steps: list[NodeProto], held: dict[str, Any], nhwc: bool, pads: list[int] | None = None, opset: int = 13
) -> Graph:
    """``x``, the steps to ``n``, and a convolution."""
    turn = [node("Transpose", ["n"], ["t"], perm=[0, 3, 1, 2])] if nhwc else []
    conv = node("Conv", ["t" if nhwc else "n", "w", "b"], ["y"], pads=pads or [0] * 4)
    return graph([*steps, *turn, conv], CONV | held, (1, 6, 5, 3) if nhwc else (1, 3, 6, 5), opset)


def taken(small: Graph, rules: Preprocessing) -> Preprocessing:
    """The passes of :func:`edgenet.graph.passes.prepare` for the input; the numbers are held to the graph."""
    nhwc = small.shape("x")[3] == 3
    before = Evaluator(small.proto(), optimize=False)
    to_nchw(small)
    simplify(small)
    name_affines(small)
    left = take_normalization(small, rules)
    fold_normalization(small, left)
    after = Evaluator(small.proto(), optimize=False)
    for pixels in inputs(small):
        shown = pixels[..., ::-1] if rules.color == "bgr" else pixels
        real = (shown.astype(np.float64) - rules.mean) / rules.std
        real = real if nhwc else real.transpose(0, 3, 1, 2)
        expected = before.row(np.ascontiguousarray(real, np.float32))
        assert np.abs(after.row(pixels) - expected).max() < 2e-5 * np.ptp(expected)
    return left


@pytest.mark.parametrize("nhwc", [True, False])
@pytest.mark.parametrize("pads", [[0] * 4, [1] * 4, [0, 0, 1, 1]])
def test_rescaling_of_keras(nhwc: bool, pads: list[int]) -> None:
    steps = [node("Mul", ["x", "k"], ["m"]), node("Add", ["m", "o"], ["n"])]
    small = network(steps, {"k": np.array(1 / 127.5), "o": np.array(-1.0)}, nhwc, pads)
    left = taken(small, how())
    assert left.mean == pytest.approx((127.5,) * 3)
    assert left.std == pytest.approx((127.5,) * 3)
    assert kinds(small)["Mul"] == 0
    assert kinds(small)["Add"] == any(pads), "a padded zero is the mean color"


@pytest.mark.parametrize("nhwc", [True, False])
def test_normalization_by_channel_behind_a_cast(nhwc: bool) -> None:
    shape = (1, 1, 1, 3) if nhwc else (1, 3, 1, 1)
    mean, std = (np.array(item).reshape(shape) for item in TORCH)
    steps = [
        node("Cast", ["x"], ["f"], to=1),
        node("Sub", ["f", "mean"], ["s"]),
        node("Div", ["s", "std"], ["n"]),
    ]
    left = taken(network(steps, {"mean": mean, "std": std}, nhwc, [1] * 4), how())
    assert left.mean == pytest.approx(TORCH[0])
    assert left.std == pytest.approx(TORCH[1])


def test_several_in_a_row_come_upon_the_cards_own() -> None:
    steps = [
        node("Div", ["x", "k"], ["a"]),
        node("Sub", ["a", "mean"], ["b1"]),
        node("Mul", ["two", "b1"], ["n"]),
    ]
    held = {"k": np.array(-255.0), "mean": random(3, 1, 1), "two": np.array([2.0])}
    small = network(steps, held, False, [1] * 4)
    taken(small, how(*TORCH))
    assert kinds(small) == {"Transpose": 1, "Cast": 1, "Add": 1, "Conv": 1}


@pytest.mark.parametrize("nhwc", [True, False])
@pytest.mark.parametrize("color", ["rgb", "bgr"])
@pytest.mark.parametrize("written", ["Gather", "Slice", "Split"])
def test_red_and_blue_change_places(nhwc: bool, color: str, written: str) -> None:
    """Keras's ``preprocess_input`` in the manner of Caffe: BGR, minus a mean by channel."""
    axis = 3 if nhwc else 1
    held: dict[str, Any] = {}
    if written == "Split":
        split = node("Split", ["x"], ["r", "gr", "bl"], axis=axis)
        swaps = [split, node("Concat", ["bl", "gr", "r"], ["g"], axis=axis)]
    elif written == "Gather":
        swaps, held = [node("Gather", ["x", "i"], ["g"], axis=axis)], {"i": np.array([2, 1, 0])}
    else:
        swaps = [node("Slice", ["x", "from", "to", "axes", "steps"], ["g"])]
        held = {"from": [-1], "to": [-(2**31)], "axes": [axis], "steps": [-1]}
        held = {name: np.array(value, np.int64) for name, value in held.items()}
    mean = np.array([103.939, 116.779, 123.68]).reshape((3,) if nhwc else (3, 1, 1))
    steps = [*swaps, node("Sub", ["g", "mean"], ["n"])]
    left = taken(network(steps, held | {"mean": mean}, nhwc, [1] * 4), how(*TORCH, color=color))
    assert left.color != color


def test_batch_normalization_of_the_picture() -> None:
    names = ("g", "o", "m", "v")
    steps = [node("BatchNormalization", ["x", *names], ["n"])]
    held = {name: random(3, seed=at) ** 2 + 0.5 for at, name in enumerate(names)}
    small = network(steps, held, False, [1] * 4)
    taken(small, how())
    assert kinds(small) == {"Transpose": 1, "Cast": 1, "Add": 1, "Conv": 1}


@pytest.mark.parametrize(
    "step",
    [
        node("Mul", ["x", "zero"], ["n"]),
        node("Mul", ["x", "rows"], ["n"]),
        node("Pow", ["x", "k"], ["n"]),
        node("Gather", ["x", "i"], ["n"], axis=1),
        node("Mul", ["x", "x"], ["n"]),
    ],
    ids=["by zero", "along the rows", "gamma", "other channels", "by itself"],
)
def test_what_is_no_normalization_stays(step: NodeProto) -> None:
    held = {"zero": np.zeros(1), "rows": random(6, 1), "k": np.array(2.0), "i": np.array([1, 2, 0])}
    small = network([step], held, False)
    rules = how(*TORCH)
    assert take_normalization(small, rules) == rules
    assert kinds(small)[step.op_type] == 1


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(["Mul", "Add", "Sub", "Div", "Cast", "Swap"]), min_size=1, max_size=5),
    st.booleans(),
    st.sampled_from([[0] * 4, [1] * 4, [0, 1, 1, 0]]),
    st.sampled_from([RAW, TORCH]),
    st.sampled_from(["rgb", "bgr"]),
    st.integers(0, 99),
)
def test_any_row_of_them(
    kinds_: list[str], nhwc: bool, pads: list[int], card: Any, color: str, seed: int
) -> None:
    random_, steps, held, name = np.random.default_rng(seed), [], {"i": np.array([2, 1, 0])}, "x"
    for number, kind in enumerate(kinds_):
        out = "n" if number == len(kinds_) - 1 else f"s{number}"
        if kind == "Cast":
            steps.append(node("Cast", [name], [out], to=1))
        elif kind == "Swap":
            steps.append(node("Gather", [name, "i"], [out], axis=3 if nhwc else 1))
        else:
            shape = [(), (3,) if nhwc else (3, 1, 1)][random_.integers(2)]
            held[f"k{number}"] = random_.uniform(0.5, 2, shape) * random_.choice([-1, 1])
            steps.append(node(kind, [name, f"k{number}"], [out]))
        name = out
    taken(network(steps, held, nhwc, pads), how(*card, color=color))
