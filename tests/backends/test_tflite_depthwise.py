"""Depthwise kernels of more than 25 taps: written as what LiteRT is fast in, with the same numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgenet.backends.tflite import backend
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.steps.compile import compile
from edgenet.steps.plan import options
from edgenet.target import Target
from edgenet.verify.artifact import verify_artifact
from edgenet.zoo.network import Network
from tests.backends.test_tflite_mixed import weights_only
from tests.backends.tflite_graphs import BOARD, Net, counts, images, lowered, operators, quantized, run, truth

X86 = Target.load("rtx-laptop")
# Channels read and made, and how the kernel stands: TensorFlow's and PyTorch's pads, none, uneven ones …
CASES: dict[str, tuple[int, int, dict[str, Any]]] = {
    "7x7": (16, 16, {"kernel": 7, "pads": [3, 3, 3, 3]}),
    "7x7 at stride 2, as TensorFlow pads": (8, 8, {"kernel": 7, "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    "7x7 at stride 2, as PyTorch pads": (24, 24, {"kernel": 7, "strides": [2, 2], "pads": [3, 3, 3, 3]}),
    "7x7 without pads": (8, 8, {"kernel": 7}),
    "6x6 with uneven pads": (12, 12, {"kernel": 6, "pads": [5, 0, 1, 4], "strides": [2, 1]}),
    "7x5, dilated": (8, 8, {"kernel": (7, 5), "dilations": [2, 1], "pads": [6, 2, 6, 2]}),
    "1x31": (8, 8, {"kernel": (1, 31), "pads": [0, 15, 0, 15]}),
    "9x9 over a prime of channels": (17, 17, {"kernel": 9, "pads": [4, 4, 4, 4]}),
    "11x11 over an odd picture": (10, 10, {"kernel": 11, "pads": [5, 5, 5, 5], "strides": [3, 3]}),
    "a depth multiplier": (8, 24, {"kernel": 3, "pads": [1, 1, 1, 1]}),
    "a depth multiplier of colors": (3, 24, {"kernel": 5, "strides": [2, 2], "pads": [2, 2, 2, 2]}),
    "a depth multiplier, 7x7": (12, 24, {"kernel": 7, "pads": [3, 3, 3, 3]}),
}


def made(case: str, size: int = 33) -> Model:
    channels, outputs, options = CASES[case]
    net = Net(size, size + 1)
    top = net.conv(net.conv(net.top, 3, channels), channels, outputs, group=channels, **options)
    net.classify(net.conv(top, outputs, 8, 1), 8)
    return net.model()


def held(model: Model, target: Target, folder: Path) -> np.ndarray:
    """The file's answers, after the check that `compile` makes of it."""
    shown = images(model, 2)
    answers = run(model, shown, folder, target)
    verify_artifact("tflite", backend().lower(model, target), model, np.concatenate(shown), answers)
    return answers


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_in_float_it_is_a_sum_of_smaller_ones_or_in_groups(case: str, precision: str, tmp_path: Path) -> None:
    model = made(case)
    model = model.with_proto(model.proto, precision=precision)
    answers, expected = held(model, X86, tmp_path), truth(model, images(model, 2))
    assert np.abs(answers - expected).max() <= (1e-5 if precision == "fp32" else 1e-2) * np.ptp(expected)
    found = operators(lowered(model, X86))
    depthwise = sum(name == "DEPTHWISE_CONV_2D" for name, _, _ in found)
    assert depthwise > 1 if CASES[case][0] == CASES[case][1] else depthwise <= 1


@pytest.mark.parametrize("case", CASES)
def test_in_int8_it_is_a_convolution_in_groups_number_for_number(case: str, tmp_path: Path) -> None:
    model = quantized(made(case))
    channels = CASES[case][0]
    shown = images(model, 4)
    for target in (X86, BOARD):
        assert (run(model, shown, tmp_path, target) == truth(model, shown, "u8u8")).all()
        held(model, target, tmp_path)
        depthwise = counts(lowered(model, target)).get("DEPTHWISE_CONV_2D", 0)
        assert depthwise == (channels == 17)  # no group but of one or of all


def test_the_activation_comes_after_the_sum(tmp_path: Path) -> None:
    net = Net(20, 20)
    top = net.conv(net.conv(net.top, 3, 8), 8, 8, 7, clip=(0.0, 6.0), group=8, gain=6, pads=[3, 3, 3, 3])
    net.classify(top, 8)
    model = net.model()
    shown = images(model, 2)
    expected = truth(model, shown)
    assert np.abs(run(model, shown, tmp_path, X86) - expected).max() <= 1e-5 * np.ptp(expected)
    codes = [
        (name, options.fusedActivationFunction)
        for name, _, options in operators(lowered(model, X86))
        if name in ("ADD", "DEPTHWISE_CONV_2D")
    ]
    assert [kind for _, kind in codes[-5:]] == [0, 0, 0, 0, 3]


def test_int8_kernels_of_a_float_layer_become_float(tmp_path: Path) -> None:
    model = made("7x7")
    small = weights_only(model)
    assert counts(lowered(small, X86)) == counts(lowered(model, X86))
    shown = images(model, 2)
    exact, given = run(model, shown, tmp_path, X86), run(small, shown, tmp_path, X86)
    assert 0 < np.abs(given - exact).max() < 0.1 * np.ptp(exact)


def test_where_nothing_was_measured_the_graph_is_written_as_it_is() -> None:
    """Float on Arm; int8 where the runtime has no vector code for groups; kernels with one place to be."""
    case = "7x7"
    assert counts(lowered(made(case), BOARD))["DEPTHWISE_CONV_2D"] == 1
    old = Target.load("jetson-xavier-nx")
    assert max(old.system.pythons) == (3, 8)
    assert counts(lowered(quantized(made(case)), old))["DEPTHWISE_CONV_2D"] == 1
    net = Net(7, 7)
    net.classify(net.conv(net.conv(net.top, 3, 8, pads=[1, 1, 1, 1]), 8, 8, 7, group=8), 8)
    for model in (net.model(), quantized(net.model())):
        assert counts(lowered(model, X86))["DEPTHWISE_CONV_2D"] == 1


@pytest.mark.parametrize(
    ("case", "board", "precision", "times"),
    [
        ("7x7", "raspberry-pi-4", "fp32", "3.0"),
        ("7x7", "raspberry-pi-4", "fp16", "3.0"),
        ("7x7", "jetson-xavier-nx", "int8", "2.8"),
        ("9x9 over a prime of channels", "rtx-laptop", "int8", "2.8"),
        ("7x7", "raspberry-pi-4", "int8", ""),
        ("7x7", "rtx-laptop", "fp32", ""),
        ("a depth multiplier", "raspberry-pi-4", "fp32", ""),
    ],
)
def test_what_is_left_slow_is_said(case: str, board: str, precision: str, times: str) -> None:
    """With the layer's name, what was measured and where; nothing where it is written otherwise."""
    notes = backend().notes(made(case), Target.load(board), precision)
    assert len(notes) == bool(times)
    for note in notes:
        assert re.search(rf"1 depthwise layer of more than 25 taps \('conv\d+'\) .* took {times} times", note)
    if precision == "int8" and times:
        assert notes == backend().notes(quantized(made(case)), Target.load(board), precision)


def test_compile_and_the_options_of_a_board_say_it_too() -> None:
    net = Network(32)
    top = net.convolution("large", net.convolution("stem", "input", 8, 3, 2), 8, 7, depthwise=True)
    net.logits(net.dense("scores", net.pool("pool", top), 10))
    proto = net.model("net", None, 0, 14)
    how = Preprocessing((32, 32), "rgb", "stretch", None, "bilinear", (127.5,) * 3, (127.5,) * 3)
    model, board = Model("net", proto, how, "logits", 0, (), "0" * 64), Target.load("raspberry-pi-4")
    (note,) = backend().notes(prepare(model), board, "fp32")
    assert note in compile(model, board, "tflite", "fp32").notes
    assert note not in compile(model, board, "onnxruntime", "fp32").notes
    said = {(item.backend, item.precision): item.why for item in options(board, model) if item.possible}
    assert said["tflite", "fp32"] == note
    assert not any((said["tflite", "int8"], said["onnxruntime", "fp32"]))
