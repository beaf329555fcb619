"""Camera pixels in place of normalized floats: the reference is numpy's normalization of the same pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.fold_normalization import fold_normalization
from edgenet.preprocessing import Preprocessing
from tests.graph.small import graph, inputs, kinds, node, random

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
WEIGHTS = {"w": random(4, 3, 3, 3), "b": random(4, seed=1)}
PLAIN = ((0.0,) * 3, (1.0,) * 3)


def how(color: str = "rgb", mean: Any = MEAN, std: Any = STD) -> Preprocessing:
    return Preprocessing((6, 5), color, "none", None, "bilinear", mean, std)


def first(kind: str, nhwc: bool = False, **options: Any) -> Graph:
    """A graph that begins with one operator."""
    begin = [node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])] if nhwc else []
    source = "t" if nhwc else "x"
    parts = [source, "w", "b"] if kind == "Conv" else [source]
    return graph(
        [*begin, node(kind, parts, ["y"], **options)], WEIGHTS, (1, 6, 5, 3) if nhwc else (1, 3, 6, 5)
    )


def same(small: Graph, rules: Preprocessing, nhwc: bool = False) -> None:
    before = Evaluator(small.proto(), optimize=False)
    assert fold_normalization(small, rules) == 1
    after = Evaluator(small.proto(), optimize=False)
    assert small.inputs["pixels"].type.tensor_type.elem_type == TensorProto.UINT8
    assert (small.input, small.shape("pixels")) == ("pixels", (1, 6, 5, 3))
    for pixels in inputs(small):
        shown = pixels[..., ::-1] if rules.color == "bgr" else pixels
        real = (shown.astype(np.float64) - rules.mean) / rules.std
        real = real if nhwc else real.transpose(0, 3, 1, 2)
        expected = before.row(np.ascontiguousarray(real, np.float32))
        assert np.abs(after.row(pixels) - expected).max() < 2e-5 * np.ptp(expected)


@pytest.mark.parametrize("color", ["rgb", "bgr"])
@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 0]])
@pytest.mark.parametrize("nhwc", [False, True])
def test_the_first_convolution_normalizes(color: str, pads: list[int], nhwc: bool) -> None:
    small = first("Conv", nhwc, pads=pads)
    same(small, how(color), nhwc)
    assert kinds(small)["Add"] == any(pads), "the mean stays where a padded zero would mean it"
    assert "Mul" not in kinds(small)


def test_without_a_convolution_the_normalization_stands_in_the_graph() -> None:
    small = first("Relu")
    same(small, how())
    assert kinds(small) == {"Transpose": 1, "Cast": 1, "Add": 1, "Mul": 1, "Relu": 1}


def test_pixels_that_are_taken_as_they_are_need_nothing() -> None:
    small = first("Relu")
    same(small, how(mean=PLAIN[0], std=PLAIN[1]))
    assert kinds(small) == {"Transpose": 1, "Cast": 1, "Relu": 1}


@pytest.mark.parametrize("kind", ["Relu", "Sigmoid"])
@pytest.mark.parametrize("nhwc", [False, True])
def test_bgr_without_a_convolution_begins_with_one(kind: str, nhwc: bool) -> None:
    small = first(kind, nhwc)
    same(small, how("bgr"), nhwc)
    assert kinds(small) == {"Transpose": 1, "Cast": 1, "Conv": 1, kind: 1}


def test_nhwc_is_turned_first() -> None:
    small = graph([node("Relu", ["x"], ["y"])], {}, (1, 6, 5, 3))
    with pytest.raises(ValueError, match="to_nchw was not run"):
        fold_normalization(small, how())
