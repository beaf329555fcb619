"""What LiteRT's XNNPACK delegate takes of the files, as the loaded runtime says, and how it runs that."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert.interpreter import Interpreter

from edgenet.backends.lowering.pieces import LARGEST
from edgenet.graph.passes.head import with_head
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.steps.source import read_source
from edgenet.target import Target
from tests.backends.test_tflite_depthwise import CASES, made
from tests.backends.test_tflite_models import OPERATORS, prepared
from tests.backends.tflite_graphs import BOARD, NAMES, SHARED, Net, images, lowered, parsed, quantized

X86 = Target.load("rtx-laptop")
# The pixels' step, of no layer: uint8 to float32, and on Arm to int8.
PIXELS, SIGN = ["CAST"], ["QUANTIZE"]
REAL = [
    *sorted((SHARED / "data" / "models").glob("*.onnx")),
    *sorted((SHARED / "data" / "faces").glob("*.onnx")),
    *sorted((SHARED / "data" / "keras").glob("*.h5")),
]


def outside(data: bytes) -> list[str]:
    """The operators of a file that run outside the delegate, in order.

    The runtime lists the file's operators and behind them the delegate's own, each of which has the place
    of all that lies between its inputs and its outputs.
    """
    interpreter = Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    listed: list[dict[str, Any]] = interpreter._get_ops_details()
    own = [item for item in listed if item["op_name"] != "DELEGATE"]
    maker = {int(index): item for item in own for index in item["outputs"]}
    taken: set[int] = set()
    for delegate in (item for item in listed if item["op_name"] == "DELEGATE"):
        read, wanted = set(map(int, delegate["inputs"])), list(map(int, delegate["outputs"]))
        while wanted:
            index = wanted.pop()
            if index in maker and index not in read and maker[index]["index"] not in taken:
                taken.add(maker[index]["index"])
                wanted += map(int, maker[index]["inputs"])
    return [item["op_name"] for item in own if item["index"] not in taken]


def slow(data: bytes) -> list[str]:
    """Depthwise convolutions for which XNNPACK has no vector code of their own."""
    file = parsed(data)
    graph, found = file.subgraphs[0], []
    for item in graph.operators:
        if NAMES[file.operatorCodes[item.opcodeIndex].builtinCode] == "DEPTHWISE_CONV_2D":
            kernel, out = graph.tensors[item.inputs[1]], graph.tensors[item.outputs[0]]
            places, taps = math.prod(out.shape[1:3]), math.prod(kernel.shape[1:3])
            if item.builtinOptions.depthMultiplier > 1 or (taps > LARGEST and places > 1):
                found.append(out.name.decode())
    return found


def check(model: Model, target: Target, entry: list[str]) -> None:
    data = lowered(model, target)
    assert outside(data) == entry
    assert slow(data) == []


@pytest.mark.parametrize("target", [X86, BOARD], ids=lambda target: target.name)
@pytest.mark.parametrize("name", OPERATORS)
def test_no_layer_of_the_zoo_runs_outside(name: str, target: Target) -> None:
    model = prepared(name)
    for precision in ("fp32", "fp16"):
        check(model.with_proto(model.proto, precision=precision), target, PIXELS)
    check(quantized(model, images(model, 1)), target, [] if target.cpu.is_x86 else SIGN)


@pytest.mark.parametrize("case", CASES)
def test_nor_does_a_large_depthwise_kernel(case: str) -> None:
    model = made(case)
    assert outside(lowered(model, X86)) == PIXELS
    assert outside(lowered(model, BOARD)) == PIXELS
    assert outside(lowered(quantized(model, images(model, 1)), X86)) == []


@pytest.mark.shared
@pytest.mark.skipif(not REAL, reason="no models: set EDGENET_SHARED")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_no_layer_of_a_real_model_does(path: Path) -> None:
    source = read_source(path)
    assert isinstance(source, Model)
    model = prepare(source)
    check(model, X86, PIXELS)
    check(quantized(model, images(model, 1)), X86, [])


def test_what_does_is_seen() -> None:
    """A maximum with PyTorch's pads, and the best class: LiteRT's own kernels."""
    net = Net()
    net.node("MaxPool", net.conv(net.top, 3, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    net.classify(net.nodes[-1].output[0], 8)
    model = with_head(net.model(), "argmax")
    assert outside(lowered(model)) == ["CAST", "PADV2", "ARG_MAX"]
    wide = Net()
    wide.classify(wide.conv(wide.conv(wide.top, 3, 8), 8, 16, group=8), 16)
    assert len(slow(lowered(wide.model()))) == 1
