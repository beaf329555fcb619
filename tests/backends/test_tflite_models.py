"""Every MobileNet as a TFLite file: how many operators, and the float answers of ONNX Runtime."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.zoo import mobilenet_v1, mobilenet_v2, mobilenet_v3
from tests.backends.tflite_graphs import counts, images, lowered, quantized, run, truth
from tests.conftest import lively

SIZE, CLASSES, ALPHA = 32, 10, 1.0
BUILDERS = {
    "v1": lambda: mobilenet_v1(ALPHA, SIZE, CLASSES),
    "v2": lambda: mobilenet_v2(ALPHA, SIZE, CLASSES),
    "v3-small": lambda: mobilenet_v3("small", ALPHA, SIZE, CLASSES),
    "v3-large": lambda: mobilenet_v3("large", ALPHA, SIZE, CLASSES),
    "v3-small-minimalistic": lambda: mobilenet_v3("small", ALPHA, SIZE, CLASSES, minimalistic=True),
}
# Convolutions, depthwise ones, residual adds, means, hard-swishes, gates.
OPERATORS = {
    "v1": (15, 13, 0, 1, 0, 0),
    "v2": (36, 17, 10, 1, 0, 0),
    "v3-small": (43, 11, 6, 10, 19, 9),
    "v3-large": (49, 15, 10, 9, 21, 8),
    "v3-small-minimalistic": (25, 11, 6, 1, 0, 0),
}
KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MEAN", "HARD_SWISH", "MUL")


@cache
def prepared(name: str) -> Model:
    proto: onnx.ModelProto = lively(BUILDERS[name]())
    how = Preprocessing((SIZE, SIZE), "rgb", "stretch", None, "bilinear", (127.5,) * 3, (127.5,) * 3)
    return prepare(Model(name, proto, how, "logits", 0, (), ""))


@pytest.mark.parametrize("name", OPERATORS)
def test_float_operators_and_answers(name: str, tmp_path: Path) -> None:
    """Beside the network's own operators only: pixels to float, minus their mean, and the final reshape."""
    model = prepared(name)
    wanted = {kind: count for kind, count in zip(KINDS, OPERATORS[name], strict=True) if count}
    wanted["ADD"] = wanted.get("ADD", 0) + 1
    assert counts(lowered(model)) == wanted | {"CAST": 1, "RESHAPE": 1}
    shown = images(model, 2)
    expected = truth(model, shown)
    assert np.abs(run(model, shown, tmp_path) - expected).max() <= 1e-4 * np.ptp(expected)


@pytest.mark.parametrize("name", OPERATORS)
def test_int8_operators(name: str) -> None:
    """One Quantize (the sign bit of the pixels), no Dequantize, nothing between the layers.

    Hard-swish is an ADD and a MUL: LiteRT's one-operator form has no vector kernel in int8.
    """
    dense, depthwise, adds, means, swishes, gates = OPERATORS[name]
    wanted = {"CONV_2D": dense, "DEPTHWISE_CONV_2D": depthwise, "MEAN": means, "QUANTIZE": 1, "RESHAPE": 1}
    found = counts(lowered(quantized(prepared(name))))
    wanted |= {"ADD": adds + swishes, "MUL": gates + swishes}
    assert found == {kind: count for kind, count in wanted.items() if count}


@pytest.mark.parametrize("name", OPERATORS)
def test_both_runtimes_give_the_same_int8_scores(name: str, tmp_path: Path) -> None:
    """Sums and products settled: not one score of a hundred differs."""
    model = quantized(prepared(name))
    shown = images(model, 10)
    expected = truth(model, shown, "u8u8")
    assert len(np.unique(expected)) > 20
    assert (run(model, shown, tmp_path) == expected).mean() >= 0.99
