"""Float TFLite files against ONNX Runtime on the same graph, both run for real."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from edgenet.backends.tflite import backend
from edgenet.errors import ModelError
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from tests.backends.tflite_graphs import (
    SHARED,
    Net,
    counts,
    images,
    lowered,
    operators,
    parsed,
    run,
    truth,
    v1_like,
    v2_like,
)

TOLERANCE = 1e-4  # of the range of the logits


def check(model: Model, folder: Path, pictures: int = 2) -> None:
    """The two runtimes agree, and nothing is transposed."""
    shown = images(model, pictures)
    expected, given = truth(model, shown), run(model, shown, folder)
    assert np.ptp(expected) > 0
    assert np.abs(given - expected).max() <= TOLERANCE * np.ptp(expected)
    assert "TRANSPOSE" not in counts(lowered(model))


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 31), (48, 29)])
def test_v1_like(height: int, width: int, tmp_path: Path) -> None:
    check(v1_like(height, width), tmp_path)


@pytest.mark.parametrize("mean", [0.0, 127.5, (103.9, 116.8, 123.7)])
def test_v2_like_with_residual_adds(mean: float, tmp_path: Path) -> None:
    check(v2_like(mean=mean), tmp_path)


GEOMETRY = {
    "same at stride 1": ({"pads": [1, 1, 1, 1]}, {"CONV_2D": 2}),
    "tensorflow's same at stride 2": ({"pads": [0, 0, 1, 1], "strides": [2, 2]}, {"CONV_2D": 2}),
    "pytorch's pads at stride 2": ({"pads": [1, 1, 1, 1], "strides": [2, 2]}, {"PAD": 1, "CONV_2D": 2}),
    "valid": ({}, {"CONV_2D": 2}),
    "auto valid": ({"auto_pad": "VALID", "strides": [2, 1]}, {"CONV_2D": 2}),
    "auto same upper": ({"auto_pad": "SAME_UPPER", "strides": [2, 2]}, {"CONV_2D": 2}),
    "auto same lower": ({"auto_pad": "SAME_LOWER", "strides": [2, 2]}, {"PAD": 1, "CONV_2D": 2}),
    "dilated": ({"pads": [2, 2, 2, 2], "dilations": [2, 2]}, {"CONV_2D": 2}),
    "dilated, odd pads": ({"pads": [0, 1, 3, 2], "dilations": [2, 1]}, {"PAD": 1, "CONV_2D": 2}),
    "one side only": ({"pads": [0, 2, 0, 0]}, {"PAD": 1, "CONV_2D": 2}),
    "stride leaves the end pad unread": ({"pads": [0, 0, 1, 1], "strides": [3, 3]}, {"CONV_2D": 2}),
}


@pytest.mark.parametrize("case", GEOMETRY)
def test_geometry(case: str, tmp_path: Path) -> None:
    options, expected = GEOMETRY[case]
    net = Net(16, 16)
    net.classify(net.conv(net.top, 3, 8, **options), 8)
    model = net.model()
    check(model, tmp_path)
    found = counts(lowered(model))
    assert {name: found.get(name, 0) for name in ("PAD", "CONV_2D")} == {"PAD": 0, **expected}


@pytest.mark.parametrize("multiplier", [1, 2, 3])
def test_depthwise_with_depth_multiplier(multiplier: int, tmp_path: Path) -> None:
    net = Net(12, 13)
    top = net.conv(net.top, 3, 3 * multiplier, group=3, pads=[1, 1, 1, 1], dilations=[1, 1])
    net.classify(net.conv(top, 3 * multiplier, 8, (1, 3)), 8)
    model = net.model()
    check(model, tmp_path)
    options = next(item for name, _, item in operators(lowered(model)) if name == "DEPTHWISE_CONV_2D")
    assert options.depthMultiplier == multiplier


def test_dilated_depthwise_needs_version_2(tmp_path: Path) -> None:
    net = Net(14, 14)
    net.classify(net.conv(net.top, 3, 3, group=3, pads=[2, 2, 2, 2], dilations=[2, 2]), 3)
    model = net.model()
    check(model, tmp_path)
    assert ("DEPTHWISE_CONV_2D", 2) in [item[:2] for item in operators(lowered(model))]


@pytest.mark.parametrize("clip", [(0.0, 6.0), (-1.0, 1.0), (0.0, 1.0), (-0.5, np.inf), (-np.inf, 0.7)])
@pytest.mark.parametrize("alone", [False, True])
def test_clips(clip: tuple[float, float], alone: bool, tmp_path: Path) -> None:
    """Fused behind a convolution; alone where two nodes read what is clipped."""
    net = Net()
    top = net.conv(net.top, 3, 8, clip=None, gain=8.0)
    clipped = net.clip(top, *clip)
    net.classify(net.node("Add", clipped, top) if alone else clipped, 8)
    model = net.model()
    check(model, tmp_path)
    fused = clip in ((0.0, 6.0), (-1.0, 1.0)) and not alone
    assert fused == (sum(counts(lowered(model)).values()) == 6)


def test_relu_is_fused_and_alone(tmp_path: Path) -> None:
    net = Net()
    top = net.node("Relu", net.conv(net.top, 3, 8, clip=None))
    mixed = net.node("Mul", top, net.constant(np.linspace(-1, 1, 8, dtype=np.float32).reshape(8, 1, 1)))
    net.classify(net.node("Add", net.node("Relu", mixed), mixed), 8)
    model = net.model()
    check(model, tmp_path)
    assert counts(lowered(model))["RELU"] == 1


def test_pooling_concat_pad_and_squeeze_excite(tmp_path: Path) -> None:
    net = Net(18, 18)
    top = net.conv(net.top, 3, 8, pads=[1, 1, 1, 1])
    most = net.node("MaxPool", top, kernel_shape=[2, 2], strides=[2, 2])
    mean = net.node("AveragePool", top, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
    zeros = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}
    counted = net.node("AveragePool", net.node("AveragePool", top, **zeros), strides=[2, 2], **zeros)
    top = net.node("Concat", most, mean, counted, axis=1)
    top = net.node("Pad", top, net.constant(np.array([0, 0, 1, 0, 0, 0, 0, 2])))
    top = net.conv(top, 24, 24, (2, 5), group=24, strides=[2, 3])
    gate = net.node("HardSigmoid", net.conv(net.node("GlobalAveragePool", top), 24, 24, 1), alpha=1 / 6)
    top = net.node("HardSwish", net.node("Mul", top, gate))
    net.classify(top, 24)
    model = net.model()
    check(model, tmp_path)
    assert {"MAX_POOL_2D", "AVERAGE_POOL_2D", "CONCATENATION", "HARD_SWISH"} <= set(counts(lowered(model)))


def test_dense_layers_and_softmax(tmp_path: Path) -> None:
    net = Net()
    pooled = net.node("GlobalAveragePool", net.conv(net.top, 3, 8))
    flat = net.node("Reshape", pooled, net.constant(np.array([1, -1])))
    first = net.constant(net.rng.normal(0, 1, (8, 12)).astype(np.float32))
    second = net.constant(net.rng.normal(0, 1, (10, 12)).astype(np.float32))
    hidden = net.node("Relu", net.node("Gemm", flat, first, alpha=0.5))
    bias = net.constant(net.rng.normal(0, 1, (1, 10)).astype(np.float32))
    net.node("Softmax", net.node("Gemm", hidden, second, bias, transB=1, beta=2.0), axis=1)
    model = net.model()
    check(model, tmp_path)
    assert counts(lowered(model)) == {
        **{"CAST": 1, "ADD": 1, "CONV_2D": 1, "MEAN": 1, "RESHAPE": 1},
        **{"FULLY_CONNECTED": 2, "SOFTMAX": 1},
    }


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_convolution(data: st.DataObject, tmp_path: Path) -> None:
    def pick(low: int, high: int, count: int) -> list[int]:
        return data.draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    size, kernel, strides = pick(5, 14, 2), pick(1, 4, 2), pick(1, 3, 2)
    dilations, pads = pick(1, 2, 2), pick(0, 3, 4)
    depthwise, channels = data.draw(st.booleans()), data.draw(st.sampled_from([3, 6]))
    for axis in (0, 1):
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        assume(reach <= size[axis] + pads[axis] + pads[axis + 2])
        assume(max(pads[axis], pads[axis + 2]) < reach)
    net = Net(*size, seed=data.draw(st.integers(0, 9)))
    options = {"strides": strides, "dilations": dilations, "pads": pads, "group": 3 if depthwise else 1}
    net.classify(net.conv(net.top, 3, channels, tuple(kernel), **options), channels)
    check(net.model(), tmp_path, pictures=1)


def test_the_file() -> None:
    model = v1_like()
    data = lowered(model)
    assert data == lowered(model)
    tree = parsed(data)
    graph = tree.subgraphs[0]
    assert tree.description == b"edgenet"
    assert [item.deprecatedBuiltinCode for item in tree.operatorCodes] == [
        item.builtinCode for item in tree.operatorCodes
    ]
    assert {item.version for item in tree.operatorCodes} == {1}
    first, last = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert (first.name, first.shape.tolist(), first.type) == (b"pixels", [1, 33, 32, 3], 3)
    assert (last.name, last.shape.tolist(), last.type) == (b"logits", [1, 10], 0)
    assert [1, 17, 16, 8] in [item.shape.tolist() for item in graph.tensors]
    root = schema.Model.GetRootAs(data)
    tables = [root.Buffers(index)._tab for index in range(1, root.BuffersLength())]
    assert len(tables) > 10
    assert {table.Vector(table.Offset(4)) % 16 for table in tables} == {0}


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.tflite").write_bytes(lowered(v1_like())[:5000])
    with pytest.raises(ModelError, match="LiteRT cannot load it"):
        backend().open(tmp_path / "broken.tflite")


MODELS = sorted((SHARED / "data" / "models").glob("*.onnx"))
V1 = {"CAST": 1, "ADD": 1, "CONV_2D": 15, "DEPTHWISE_CONV_2D": 13, "MEAN": 1, "RESHAPE": 1}
V2 = {"CAST": 1, "ADD": 11, "CONV_2D": 36, "DEPTHWISE_CONV_2D": 17, "MEAN": 1, "RESHAPE": 1}


@pytest.mark.shared
@pytest.mark.skipif(not MODELS, reason="no models: set EDGENET_SHARED")
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_real_models(path: Path, tmp_path: Path) -> None:
    model = prepare(Model.load(path))
    check(model, tmp_path)
    expected = Counter(V1 if "_v1_" in path.stem else V2)
    if not any(model.preprocessing.mean):
        expected -= Counter({"ADD": 1})
    assert counts(lowered(model)) == dict(expected)
