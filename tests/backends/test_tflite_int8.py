"""Int8 TFLite files against whole-number arithmetic in numpy and against ONNX Runtime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from edgenet.backends.tflite import backend
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.graph.qdq.insert import insert_qdq
from edgenet.graph.qdq.integer_mean import integer_mean
from edgenet.model import Model
from edgenet.quantize.calibration.ranges import affine, quantize_weights
from edgenet.target import Target
from tests.backends.tflite_graphs import (
    BOARD,
    SHARED,
    TYPES,
    Net,
    counts,
    images,
    lowered,
    operators,
    parsed,
    quantized,
    run,
    truth,
    v1_like,
    v2_like,
)


def check(model: Model, folder: Path, within: int = 1, share: float = 0.99, form: str = "") -> np.ndarray:
    """Most scores within so many steps, the same winner; returns the histogram of differences."""
    shown = images(model, 10)
    expected = truth(model, shown, form).astype(int)
    given = run(model, shown, folder)
    assert given.dtype == np.int8
    assert np.ptp(expected) > 40
    apart = np.abs(given.astype(int) - expected)
    assert (apart <= within).mean() >= share
    rows = np.arange(len(shown))
    assert (given[rows, expected.argmax(axis=1)] >= given.max(axis=1) - within).all()
    assert "TRANSPOSE" not in counts(lowered(model))
    return np.bincount(apart.reshape(-1))


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 31)])
def test_v1_like(height: int, width: int, tmp_path: Path) -> None:
    check(quantized(v1_like(height, width)), tmp_path)


@pytest.mark.parametrize("mean", [0.0, 127.5, (103.9, 116.8, 123.7)])
def test_v2_like_with_residual_adds(mean: float, tmp_path: Path) -> None:
    model = quantized(v2_like(mean=mean))
    check(model, tmp_path)
    own_add = isinstance(mean, tuple)
    assert counts(lowered(model)).get("ADD") == (3 if own_add else 2)


def test_calibration_images_without_black_or_white(tmp_path: Path) -> None:
    """Pixels are their own steps: the first bias does not follow the range that was seen of them."""
    model = v1_like()
    grey = [np.clip(picture, 40, 200) for picture in images(model, 4, seed=9)]
    check(quantized(model, grey), tmp_path)


def test_two_backends_give_the_same_bits(tmp_path: Path) -> None:
    """Convolutions round alike in LiteRT's and ONNX Runtime's int8 kernels (here: no score differs)."""
    apart = check(quantized(v1_like()), tmp_path, form="u8u8")
    assert apart[0] >= 0.99 * apart.sum()


def requantized_conv(pixels: np.ndarray, model: Model) -> np.ndarray:
    """First convolution of a quantized net (stride 2, no pads) in integers, [H, W, outputs]."""
    graph = Graph(model.proto)
    conv = next(node for node in graph.nodes if node.op_type == "Conv")
    kernel, bias = (graph.producer(name) for name in conv.input[1:3])
    after = next(node for node in graph.consumers(conv.output[0]))
    weights = graph.constants[kernel.input[0]].astype(np.int64)
    scale, zero = (graph.constants[name] for name in after.input[1:3])
    entry = graph.producer(conv.input[0])
    centered = pixels[0].astype(np.int64) - int(graph.constants[entry.input[2]])
    patches = np.lib.stride_tricks.sliding_window_view(centered, (3, 3), axis=(0, 1))[::2, ::2]
    sums = np.einsum("hwikl,oikl->hwo", patches, weights) + graph.constants[bias.input[0]]
    steps = sums * (graph.constants[bias.input[1]].astype(np.float64) / np.float64(scale))
    return np.clip(np.round(steps) + int(zero), -128, 127).astype(np.int8)


def test_first_convolution_in_whole_numbers(tmp_path: Path) -> None:
    """A file whose output is the first convolution: what LiteRT computes is what the scales say."""
    net = Net(17, 17)
    net.classify(net.conv(net.top, 3, 8, strides=[2, 2]), 8)
    model = quantized(net.model())
    graph = Graph(model.proto)
    conv = next(node for node in graph.nodes if node.op_type == "Conv")
    dequantized = graph.consumers(graph.consumers(conv.output[0])[0].output[0])[0].output[0]
    while graph.producer(dequantized) is not graph.nodes[-1]:
        graph.remove(graph.nodes[-1])
    shape = list(graph.shape(dequantized))
    graph.replace_graph_output(graph.output, helper.make_tensor_value_info(dequantized, 1, shape))
    (picture,) = images(model, 1)
    given = run(model.with_proto(graph.proto()), [picture], tmp_path).reshape(8, 8, 8)
    expected = requantized_conv(picture, model)
    assert np.unique(expected).size > 50
    apart = np.abs(given.astype(int) - expected)
    assert apart.max() <= 1
    assert (apart == 0).mean() > 0.995


def test_types_scales_and_versions() -> None:
    data = lowered(quantized(v1_like()))
    graph = parsed(data).subgraphs[0]
    codes = {(name, version) for name, version, _ in operators(data)}
    assert codes == {
        *[("QUANTIZE", 1), ("PAD", 2), ("CONV_2D", 3), ("DEPTHWISE_CONV_2D", 3)],
        *[("MEAN", 2), ("RESHAPE", 1)],
    }
    kernels = [operator for operator in graph.operators if len(operator.inputs) == 3]
    assert len(kernels) == 8
    for operator in kernels:
        source, kernel, bias = (graph.tensors[index] for index in operator.inputs)
        assert [TYPES[item.type] for item in (source, kernel, bias)] == ["INT8", "INT8", "INT32"]
        axis = kernel.quantization.quantizedDimension
        assert axis == (3 if kernel.shape[0] == 1 and kernel.shape[3] == bias.shape[0] else 0)
        assert kernel.quantization.scale.size == kernel.shape[axis] == bias.shape[0]
        assert not kernel.quantization.zeroPoint.any()
        product = source.quantization.scale * kernel.quantization.scale
        np.testing.assert_allclose(bias.quantization.scale, product, rtol=1e-6)
    assert not [item for item in graph.tensors if TYPES[item.type] == "FLOAT32"]


def test_input_and_output_are_described() -> None:
    model = quantized(v1_like())
    artifact = backend().lower(model, BOARD)
    assert artifact.data == backend().lower(model, BOARD).data
    graph = parsed(artifact.data).subgraphs[0]
    first, last = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert (TYPES[first.type], TYPES[last.type]) == ("UINT8", "INT8")
    assert (first.quantization.scale.tolist(), first.quantization.zeroPoint.tolist()) == ([1.0], [128])
    assert (artifact.output.classes, artifact.output.dtype) == (10, "int8")
    assert last.quantization.scale.tolist() == [np.float32(artifact.output.scale)]
    assert last.quantization.zeroPoint.tolist() == [artifact.output.zero_point]


def test_pixels_become_int8_as_the_cpu_is_fast_in(tmp_path: Path) -> None:
    """Two vector kernels on x86, one operator on Arm; the same numbers."""
    model, shown = quantized(v1_like()), images(v1_like(), 3)
    here = Target.load("local")
    x86 = replace(here, cpu=replace(here.cpu, machine="x86_64"))
    first = [[name for name, _, _ in operators(lowered(model, target))][:3] for target in (x86, BOARD)]
    assert first == [["DEQUANTIZE", "QUANTIZE", "PAD"], ["QUANTIZE", "PAD", "CONV_2D"]]
    assert (run(model, shown, tmp_path, x86) == run(model, shown, tmp_path)).all()


def test_scores_are_near_the_float_models(tmp_path: Path) -> None:
    """Not only like the other runtime, but right: small error against the float network."""
    model = v2_like()
    small = quantized(model)
    shown = images(model, 10)
    real = backend().lower(small, BOARD).output.values(run(small, shown, tmp_path))
    expected = truth(model, shown)
    assert np.abs(real - expected).mean() < 0.05 * np.ptp(expected)


def test_pooling_and_concat_between_scales(tmp_path: Path) -> None:
    net = Net(18, 18)
    top = net.conv(net.top, 3, 8, pads=[1, 1, 1, 1])
    other = net.conv(net.top, 3, 8, pads=[1, 1, 1, 1], clip=(0.0, np.inf), gain=6.0)
    most = net.node("MaxPool", top, kernel_shape=[2, 2], strides=[2, 2])
    mean = net.node("AveragePool", other, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])
    top = net.node("HardSwish", net.node("Concat", most, mean, axis=1))
    net.classify(net.node("Mul", top, net.node("GlobalAveragePool", top)), 16)
    model = quantized(net.model())
    check(model, tmp_path, within=2)
    assert {"QUANTIZE", "CONCATENATION", "HARD_SWISH", "MUL"} <= set(counts(lowered(model)))


def by_hand(kind: str) -> Model:
    """Conv → Clip → … where the clipped tensor's range reaches further than the clip.

    Of three kinds: "fused"; "scaled", where the convolution's own result has a scale and is rounded before
    it is clipped; "shared", where an Add reads that result too.
    """
    net = Net()
    conv = net.conv(net.top, 3, 8, clip=None, gain=4.0)
    clipped = net.clip(conv, 0.0, 6.0)
    joined = net.node("Add", clipped, conv) if kind == "shared" else clipped
    net.classify(joined, 8)
    float_model = net.model()
    graph = Graph(float_model.proto)
    zero = integer_mean(graph).zero_point
    first, last = [node for node in graph.nodes if node.op_type == "Conv"]
    ranges = {
        clipped: (-2.0, 9.0),
        joined: (-8.0, 14.0),
        last.input[0]: (-2.0, 9.0),
        last.output[0]: (-3.0, 3.0),
    }
    if kind != "fused":
        ranges[conv] = (-8.0, 8.0)
    tensors = {name: affine(*limits) for name, limits in ranges.items()}
    weights = {}
    for node, scale in ((first, 1.0), (last, tensors[last.input[0]].scale)):
        weights[node.output[0]] = quantize_weights(
            *(graph.constants[name] for name in node.input[1:3]), scale
        )
    insert_qdq(graph, tensors, weights, zero)
    return float_model.with_proto(graph.proto(), precision="int8")


@pytest.mark.parametrize(("kind", "alone"), [("fused", 0), ("scaled", 1), ("shared", 1)])
def test_a_clip_that_the_range_does_not_imply_stays(kind: str, alone: int, tmp_path: Path) -> None:
    model = by_hand(kind)
    check(model, tmp_path)
    assert counts(lowered(model)).get("RELU6", 0) == alone


IMAGES = sorted((SHARED / "data" / "imagenet" / "calib").glob("*.jpg"))
MODELS = sorted((SHARED / "data" / "models").glob("*.onnx")) if IMAGES else []


def photos(model: Model) -> list[np.ndarray]:
    image = pytest.importorskip("PIL.Image")
    height, width = model.preprocessing.size
    opened = (image.open(path).convert("RGB").resize((width, height)) for path in IMAGES[:12])
    return [np.asarray(item)[None] for item in opened]


@pytest.mark.shared
@pytest.mark.skipif(not MODELS, reason="no models and images: set EDGENET_SHARED")
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_real_models(path: Path, tmp_path: Path) -> None:
    """The two runtimes' int8 kernels agree on every real model, to the last bit or nearly."""
    model = prepare(Model.load(path))
    shown = photos(model)
    small = quantized(model, shown[:6])
    given = run(small, shown[6:], tmp_path).astype(int)
    expected = truth(small, shown[6:], "u8u8").astype(int)
    apart = np.abs(given - expected)
    assert (apart <= 1).mean() >= 0.99
    assert (apart == 0).mean() >= 0.97
    rows = np.arange(len(given))
    assert (given[rows, expected.argmax(axis=1)] >= given.max(axis=1) - 1).all()


def test_what_is_resized_in_float_is_shown_by_its_name() -> None:
    """Rounded behind the float operator, it is the int8 tensor of the graph: layers behind it are held to it."""
    net = Net(16, 16)
    top = net.conv(net.top, 3, 8, strides=[2, 2], pads=[1, 1, 1, 1])
    size = net.constant(np.array([1, 8, 16, 16], np.int64))
    wide = net.node("Resize", top, "", "", size, mode="linear", coordinate_transformation_mode="half_pixel")
    net.classify(net.conv(wide, 8, 8), 8)
    model = quantized(net.model())
    shown = backend().layers(lowered(model), images(model, 1)[0])
    assert shown.layers[wide].shape == (1, 16, 16, 8)
