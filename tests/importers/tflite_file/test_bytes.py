"""Networks of bytes: int8 by channel, uint8 of 2018, int8 weights alone; in steps beside LiteRT's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from edgenet.backends.lowering.file import Quantization
from tests.importers.tflite_file.nets import PICTURE, Net, both, imported, pictures

_, HEIGHT, WIDTH, CHANNELS = PICTURE
WINDOW = {"padding": "SAME", "strideH": 1, "strideW": 1}
DILATION = {"dilationHFactor": 1, "dilationWFactor": 1}
RESHAPE = ("ReshapeOptions", dict[str, Any]())


class Bytes(Net):
    """A network of one type of bytes.

    Attributes:
        kind: "int8" or "uint8".
        input: How the picture is quantized.
        result: How results are, where they have a scale of their own.
    """

    def __init__(self, kind: str, shape: tuple[int, ...] = PICTURE) -> None:
        self.kind = kind
        shift = 128 if kind == "uint8" else 0
        self.input = Quantization(kind, np.float32([0.0213]), shift - 7)
        self.result = Quantization(kind, np.float32([0.0411]), shift - 11)
        super().__init__(shape, kind, self.input)

    def made(
        self, code: str, inputs: Sequence[int], shape: Sequence[int], options: Any = None, how: Any = None
    ) -> int:
        """An operator whose result is of bytes."""
        version = 1 if code == "RESHAPE" else 3
        return self.op(code, inputs, shape, options, version, self.kind, how or self.result)

    def kernel(self, *shape: int, axis: int, read: Quantization) -> list[int]:
        """Weights and bias: int8 by channel, or uint8 with one scale and a zero point."""
        outputs = shape[axis]
        if self.kind == "int8":
            scales = self.rng.uniform(0.004, 0.01, outputs).astype(np.float32)
            how = Quantization("int8", scales, 0, axis)
            values = self.rng.integers(-127, 128, shape).astype(np.int8)
        else:
            scales = np.float32([0.007])
            how = Quantization("uint8", scales, 121)
            values = self.rng.integers(0, 256, shape).astype(np.uint8)
        bias = self.rng.integers(-900, 900, outputs).astype(np.int32)
        scale = Quantization("int32", (scales * read.scales).astype(np.float32), 0, 0)
        return [self.constant(values, how), self.constant(bias, scale)]


def conv(net: Bytes) -> int:
    options = {**WINDOW, **DILATION, "strideH": 2, "strideW": 2, "fusedActivationFunction": "RELU"}
    parts = [net.picture, *net.kernel(6, 3, 3, CHANNELS, axis=0, read=net.input)]
    return net.made("CONV_2D", parts, (1, 4, 3, 6), ("Conv2DOptions", options))


def depthwise(net: Bytes) -> int:
    options = {**WINDOW, **DILATION, "depthMultiplier": 2, "fusedActivationFunction": "RELU6"}
    parts = [net.picture, *net.kernel(1, 3, 3, 6, axis=3, read=net.input)]
    return net.made("DEPTHWISE_CONV_2D", parts, (1, HEIGHT, WIDTH, 6), ("DepthwiseConv2DOptions", options))


def mean(net: Bytes) -> int:
    options = ("ReducerOptions", {"keepDims": False})
    return net.made("MEAN", [net.picture, net.whole(1, 2)], (1, CHANNELS), options, net.input)


def dense(net: Bytes) -> int:
    parts = net.kernel(5, CHANNELS, axis=0, read=net.input)
    return net.made("FULLY_CONNECTED", [mean(net), *parts], (1, 5), ("FullyConnectedOptions", {}))


def dense_of_a_row(net: Bytes) -> int:
    """Not pooled: the numbers stand in the file's order."""
    count = HEIGHT * WIDTH * CHANNELS
    row = net.made("RESHAPE", [net.picture, net.whole(1, count)], (1, count), RESHAPE, net.input)
    values = net.rng.integers(-40, 41, (5, count)).astype(np.int8 if net.kind == "int8" else np.int16)
    zero = 0 if net.kind == "int8" else 121
    how = Quantization(net.kind, np.float32([0.004]), zero)
    weights = net.constant((values + zero).astype(net.kind), how)
    scale = Quantization("int32", (how.scales * net.input.scales).astype(np.float32))
    bias = net.constant(net.rng.integers(-900, 900, 5).astype(np.int32), scale)
    return net.made("FULLY_CONNECTED", [row, weights, bias], (1, 5), ("FullyConnectedOptions", {}))


def average(net: Bytes) -> int:
    options = {**WINDOW, "filterHeight": 3, "filterWidth": 3}
    shape = (1, HEIGHT, WIDTH, CHANNELS)
    return net.made("AVERAGE_POOL_2D", [net.picture], shape, ("Pool2DOptions", options), net.input)


def largest(net: Bytes) -> int:
    options = {**WINDOW, "filterHeight": 2, "filterWidth": 2, "padding": "VALID"}
    shape = (1, HEIGHT - 1, WIDTH - 1, CHANNELS)
    return net.made("MAX_POOL_2D", [net.picture], shape, ("Pool2DOptions", options), net.input)


def summed(net: Bytes) -> int:
    other = net.made("QUANTIZE", [net.picture], PICTURE, ("QuantizeOptions", {}))
    options = ("AddOptions", {"fusedActivationFunction": "RELU"})
    return net.made("ADD", [net.picture, other], PICTURE, options)


def multiplied(net: Bytes) -> int:
    row = net.made("MEAN", [net.picture, net.whole(1, 2)], (1, 1, 1, CHANNELS),
                   ("ReducerOptions", {"keepDims": True}), net.input)  # fmt: skip
    return net.made("MUL", [net.picture, row], PICTURE, ("MulOptions", {}))


def by_a_constant(net: Bytes) -> int:
    how = Quantization(net.kind, np.float32([0.01]), net.result.zero_point)
    low = 0 if net.kind == "uint8" else -128
    values = net.rng.integers(low, low + 256, (1, 1, 1, CHANNELS)).astype(net.kind)
    return net.made("MUL", [net.picture, net.constant(values, how)], PICTURE, ("MulOptions", {}))


def concatenated(net: Bytes) -> int:
    other = net.made("RELU", [net.picture], PICTURE, None, net.input)
    options = ("ConcatenationOptions", {"axis": 3})
    return net.made("CONCATENATION", [net.picture, other], (1, HEIGHT, WIDTH, 6), options, net.input)


def padded(net: Bytes) -> int:
    amounts = net.constant(np.int32([[0, 0], [1, 0], [0, 2], [0, 0]]))
    shape = (1, HEIGHT + 1, WIDTH + 2, CHANNELS)
    return net.made("PAD", [net.picture, amounts], shape, ("PadOptions", {}), net.input)


def nearest(net: Bytes) -> int:
    options = ("ResizeNearestNeighborOptions", {"halfPixelCenters": True})
    parts = [net.picture, net.whole(14, 12)]
    return net.made("RESIZE_NEAREST_NEIGHBOR", parts, (1, 14, 12, CHANNELS), options, net.input)


def bilinear(net: Bytes) -> int:
    options = ("ResizeBilinearOptions", {"halfPixelCenters": True})
    parts = [net.picture, net.whole(14, 12)]
    return net.made("RESIZE_BILINEAR", parts, (1, 14, 12, CHANNELS), options, net.input)


def probabilities(net: Bytes) -> int:
    zero = -128 if net.kind == "int8" else 0
    how = Quantization(net.kind, np.float32([1 / 256]), zero)
    return net.made("SOFTMAX", [dense(net)], (1, 5), ("SoftmaxOptions", {"beta": 1.0}), how)


def sigmoid(net: Bytes) -> int:
    zero = -128 if net.kind == "int8" else 0
    how = Quantization(net.kind, np.float32([1 / 256]), zero)
    return net.made("LOGISTIC", [net.picture], PICTURE, None, how)


def back_to_float(net: Bytes) -> int:
    return net.op("DEQUANTIZE", [net.picture], PICTURE, ("DequantizeOptions", {}), 2)


def prelu_in_float(net: Bytes) -> int:
    """As a converter leaves an operator that it could not quantize."""
    slopes = net.normal(1, 1, CHANNELS)
    made = net.op("PRELU", [back_to_float(net), slopes], PICTURE)
    return net.made("QUANTIZE", [made], PICTURE, ("QuantizeOptions", {}))


# Steps: 0 where both compute the same whole numbers, 1 where kernels round sums and curves on their own.
CASES: dict[str, tuple[Callable[[Bytes], int], int]] = {
    "CONV_2D": (conv, 1),
    "DEPTHWISE_CONV_2D": (depthwise, 1),
    "FULLY_CONNECTED": (dense, 1),
    "FULLY_CONNECTED of a row": (dense_of_a_row, 1),
    "MEAN": (mean, 1),
    "AVERAGE_POOL_2D": (average, 1),
    "MAX_POOL_2D": (largest, 0),
    "ADD": (summed, 1),
    "MUL": (multiplied, 1),
    "MUL by a constant": (by_a_constant, 1),
    "CONCATENATION": (concatenated, 0),
    "PAD": (padded, 0),
    "RESIZE_NEAREST_NEIGHBOR": (nearest, 0),
    "RESIZE_BILINEAR": (bilinear, 1),
    "SOFTMAX": (probabilities, 2),
    "LOGISTIC": (sigmoid, 1),
    "DEQUANTIZE": (back_to_float, 0),
    "PRELU in float": (prelu_in_float, 1),
}


@pytest.mark.parametrize("kind", ["int8", "uint8"])
@pytest.mark.parametrize("case", CASES)
def test_the_graph_gives_the_files_numbers(case: str, kind: str) -> None:
    make, most = CASES[case]
    net = Bytes(kind)
    index = make(net)
    how = net.file.tensors[index].quantization
    theirs, ours = both(net.to_bytes(index), pictures(kind))
    assert theirs.shape == ours.shape
    assert np.ptp(theirs) > 0.1, "the operator does something"
    steps = np.rint((ours - theirs) / (how.scale if how else net.input.scale))
    assert np.abs(steps).max() <= most
    assert (steps == 0).mean() >= 0.9


@pytest.mark.parametrize("kind", ["int8", "uint8"])
def test_scales_and_whole_weights_are_the_files_own(kind: str) -> None:
    net = Bytes(kind)
    data = net.to_bytes(conv(net))
    proto = imported(data).proto
    held = {item.name: numpy_helper.to_array(item) for item in proto.graph.initializer}
    weights = next(item for item in net.file.tensors if item.shape == (6, 3, 3, CHANNELS))
    assert weights.data is not None
    planes = weights.data.transpose(0, 3, 1, 2)
    kernel = next(item for item in held.values() if item.shape == planes.shape)
    shift = 128 if kind == "uint8" else 0
    wide = kernel.astype(int) + (shift if kernel.dtype == np.int8 else 0)
    np.testing.assert_array_equal(wide, planes.astype(int))
    scalars = {(item.dtype.kind, item.item()) for item in held.values() if item.size == 1}
    for how in (net.input, net.result):
        assert {("f", float(how.scales[0]))} <= scalars
    entry = proto.graph.input[0]
    assert entry.type.tensor_type.elem_type == {"uint8": 2, "int8": 3}[kind]


def test_weights_of_bytes_alone_are_real_numbers_for_float_layers() -> None:
    """Dynamic range: LiteRT also rounds each picture to bytes while it runs, a percent of the range here."""
    net = Net()
    scales = net.rng.uniform(0.004, 0.01, 6).astype(np.float32)
    weights = net.rng.integers(-127, 128, (6, 3, 3, CHANNELS)).astype(np.int8)
    options = ("Conv2DOptions", {**WINDOW, **DILATION})
    shape, bias = (1, HEIGHT, WIDTH, 6), net.normal(6)
    mixed = net.constant(weights, Quantization("int8", scales, 0, 0))
    whole = net.to_bytes(net.op("CONV_2D", [net.picture, mixed, bias], shape, options, 5))
    theirs, ours = both(whole, pictures("float32"))
    assert 0 < np.abs(ours - theirs).max() < 0.02 * np.ptp(theirs)
    net.file.operators.clear()
    real = net.constant((weights * scales[:, None, None, None]).astype(np.float32))
    plain = net.to_bytes(net.op("CONV_2D", [net.picture, real, bias], shape, options))
    exact, _ = both(plain, pictures("float32"))
    np.testing.assert_allclose(ours, exact, atol=1e-5 * np.ptp(exact))


def test_a_picture_of_bytes_without_a_scale_is_cast() -> None:
    net = Net(dtype="uint8")
    real = net.op("CAST", [net.picture], PICTURE, ("CastOptions", {"inDataType": "UINT8"}))
    half = net.op("MUL", [real, net.constant(np.float32([0.5]))], PICTURE, ("MulOptions", {}))
    theirs, ours = both(net.to_bytes(half), pictures("uint8"))
    np.testing.assert_array_equal(theirs, ours)
