"""Operators beside MobileNet's own: both runtimes for real, float and int8."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgenet.errors import UnsupportedError
from edgenet.model import Model
from tests.backends.tflite_graphs import Net, counts, images, lowered, operators, quantized, run, truth


def grouped(net: Net) -> str:
    return net.conv(net.conv(net.top, 3, 8), 8, 8, group=2, pads=[1, 1, 1, 1])


def curve(kind: str, **options: float) -> Callable[[Net], str]:
    return lambda net: net.conv(net.node(kind, net.conv(net.top, 3, 8, clip=None), **options), 8, 8, 1)


def swish(net: Net) -> str:
    top = net.conv(net.top, 3, 8, clip=None)
    return net.node("Mul", top, net.node("Sigmoid", top))


def gate(net: Net) -> str:
    """A HardSigmoid that no convolution stands before."""
    top = net.conv(net.top, 3, 8)
    return net.node(
        "Mul", top, net.node("HardSigmoid", net.node("GlobalAveragePool", top), alpha=0.5, beta=0.1)
    )


def prelu(net: Net) -> str:
    slope = net.constant(np.linspace(-0.5, 0.5, 8, dtype=np.float32).reshape(8, 1, 1))
    return net.conv(net.node("PRelu", net.conv(net.top, 3, 8, clip=None), slope), 8, 8, 1)


def sliced(net: Net) -> str:
    top = net.conv(net.top, 3, 16)
    cuts = [np.array(item) for item in ([-12, 1], [1000, -2], [1, 2])]
    return net.node("Slice", net.conv(top, 16, 20, 1), *map(net.constant, cuts))


def cropped(net: Net) -> str:
    """Every axis, none named."""
    cuts = [np.array(item) for item in ([0, 0, 2, 1], [1, 8, 9, 9])]
    return net.node("Slice", net.conv(net.top, 3, 8), *map(net.constant, cuts))


def padded_maximum(net: Net) -> str:
    top = net.conv(net.top, 3, 8, clip=None)
    return net.node("MaxPool", top, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])


def resized(mode: str, place: str, rounding: str, *size: int) -> Callable[[Net], str]:
    def made(net: Net) -> str:
        sizes = net.constant(np.array([1, 8, *size]))
        how = {"coordinate_transformation_mode": place, "nearest_mode": rounding}
        top = net.conv(net.top, 3, 8)
        return net.conv(net.node("Resize", top, "", "", sizes, mode=mode, **how), 8, 8, 1)

    return made


RESIZES = [
    ("nearest", "asymmetric", "floor", 28, 42),
    ("nearest", "asymmetric", "floor", 9, 11),
    ("nearest", "half_pixel", "round_prefer_floor", 28, 28),
    ("nearest", "half_pixel", "round_prefer_ceil", 9, 30),
    ("linear", "half_pixel", "floor", 28, 9),
    ("linear", "pytorch_half_pixel", "floor", 5, 30),
    ("linear", "asymmetric", "floor", 28, 28),
    ("linear", "align_corners", "floor", 20, 28),
]


@pytest.mark.parametrize("how", RESIZES, ids=lambda how: f"{how[0]} {how[1]} {how[3]}x{how[4]}")
def test_pictures_grow_and_shrink_inside(how: tuple[Any, ...], tmp_path: Path) -> None:
    net = Net()
    net.classify(resized(*how)(net), 8)
    for model in (net.model(), quantized(net.model())):
        shown = images(model, 3)
        form = "" if model.precision == "fp32" else "s8s8"
        expected, got = truth(model, shown, form).astype(float), run(model, shown, tmp_path).astype(float)
        assert np.abs(got - expected).max() <= (1 if form else 1e-4 * np.ptp(expected))
        name = {"nearest": "RESIZE_NEAREST_NEIGHBOR", "linear": "RESIZE_BILINEAR"}[how[0]]
        found = counts(lowered(model))
        assert found[name] == 1
        if form and how[0] == "nearest":  # bytes are moved as they are
            assert "DEQUANTIZE" not in found
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (("cubic", "half_pixel", "floor", 28, 28), "mode cubic"),
        (("nearest", "half_pixel", "ceil", 28, 28), "TFLite places half_pixel pixels elsewhere"),
        (("nearest", "align_corners", "floor", 20, 28), "TFLite places align_corners pixels elsewhere"),
    ],
)
def test_other_places_are_refused(how: tuple[Any, ...], words: str) -> None:
    net = Net()
    net.classify(resized(*how)(net), 8)
    with pytest.raises(UnsupportedError, match=f"Resize .*{words}.*onnxruntime"):
        lowered(net.model())


CASES: dict[str, tuple[Callable[[Net], str], int, dict[str, int]]] = {
    "groups": (grouped, 8, {"CONV_2D": 3}),
    "sigmoid": (curve("Sigmoid"), 8, {"LOGISTIC": 1}),
    "tanh": (curve("Tanh"), 8, {"TANH": 1}),
    "elu": (curve("Elu"), 8, {"ELU": 1}),
    "leaky relu": (curve("LeakyRelu", alpha=0.1), 8, {"LEAKY_RELU": 1}),
    "prelu": (prelu, 8, {"PRELU": 1}),
    "gate": (gate, 8, {"MEAN": 2}),
    "swish": (swish, 8, {"LOGISTIC": 1, "MUL": 1}),
    "slice": (sliced, 12, {"SLICE": 1}),
    "crop": (cropped, 8, {"SLICE": 1}),
    "maximum with pytorch's pads": (padded_maximum, 8, {"PADV2": 1, "MAX_POOL_2D": 1}),
}

# In int8 these are other operators, and none of them leaves it.
WHOLE = {"MUL": 1, "ADD": 1, "DEQUANTIZE": 0, "LEAKY_RELU": 0, "PRELU": 0}
SPLIT = {"leaky relu": WHOLE, "prelu": WHOLE}


def made(case: str) -> Model:
    make, channels, _ = CASES[case]
    net = Net()
    net.classify(make(net), channels)
    return net.model()


@pytest.mark.parametrize("case", CASES)
def test_float(case: str, tmp_path: Path) -> None:
    model = made(case)
    shown = images(model, 3)
    expected, got = truth(model, shown), run(model, shown, tmp_path)
    assert np.abs(got - expected).max() <= 1e-4 * np.ptp(expected)
    found = counts(lowered(model))
    assert {name: found.get(name, 0) for name in CASES[case][2]} == CASES[case][2]


@pytest.mark.parametrize("case", CASES)
def test_int8(case: str, tmp_path: Path) -> None:
    model = quantized(made(case))
    shown = images(model, 6)
    expected, got = truth(model, shown, "s8s8").astype(int), run(model, shown, tmp_path).astype(int)
    assert np.ptp(expected) > 40
    assert np.abs(got - expected).max() <= 1
    found = counts(lowered(model))
    wanted = SPLIT.get(case) or {name: count for name, count in CASES[case][2].items() if name != "MUL"}
    assert {name: found.get(name, 0) for name in wanted} == wanted


def test_the_largest_of_the_picture(tmp_path: Path) -> None:
    net = Net()
    pooled = net.node("GlobalMaxPool", net.conv(net.top, 3, 8, clip=None))
    net.node("Flatten", net.conv(pooled, 8, 10, 1, None), axis=1)
    for model in (net.model(), quantized(net.model())):
        shown = images(model, 3)
        form = "" if model.precision == "fp32" else "s8s8"
        expected, got = truth(model, shown, form).astype(float), run(model, shown, tmp_path).astype(float)
        assert np.abs(got - expected).max() <= (1 if form else 1e-4 * np.ptp(expected))
        assert counts(lowered(model))["REDUCE_MAX"] == 1


def test_groups_need_version_6_of_the_convolution() -> None:
    for model in (made("groups"), quantized(made("groups"))):
        assert ("CONV_2D", 6) in [item[:2] for item in operators(lowered(model))]
