"""Every operator in float: the graph's answers beside LiteRT's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgenet.backends.lowering.file import Quantization
from edgenet.importers.tflite_file.operators.table import OPERATORS
from tests.importers.tflite_file.nets import PICTURE, Net, both, pictures

_, HEIGHT, WIDTH, CHANNELS = PICTURE
CONV, DEPTHWISE, POOL = "Conv2DOptions", "DepthwiseConv2DOptions", "Pool2DOptions"
RESHAPE = ("ReshapeOptions", dict[str, Any]())
Make = Callable[[Net], int]


def conv(
    stride: int = 1, padding: str = "SAME", activation: str = "NONE", kernel: int = 3, dilation: int = 1,
    groups: int = 1,
) -> Make:  # fmt: skip
    def make(net: Net) -> int:
        reach = (kernel - 1) * dilation + 1
        sides = [
            -(-side // stride) if padding == "SAME" else (side - reach) // stride + 1
            for side in (HEIGHT, WIDTH)
        ]
        options = {
            "padding": padding, "strideH": stride, "strideW": stride, "fusedActivationFunction": activation,
            "dilationHFactor": dilation, "dilationWFactor": dilation,
        }  # fmt: skip
        parts = [net.picture, net.normal(6, kernel, kernel, CHANNELS // groups), net.normal(6)]
        return net.op("CONV_2D", parts, (1, *sides, 6), (CONV, options), 6 if groups > 1 else 1)

    return make


def depthwise(stride: int, multiplier: int = 1, padding: str = "SAME") -> Make:
    def make(net: Net) -> int:
        sides = [
            -(-side // stride) if padding == "SAME" else (side - 3) // stride + 1 for side in (HEIGHT, WIDTH)
        ]
        options = {
            "padding": padding, "strideH": stride, "strideW": stride, "depthMultiplier": multiplier,
            "fusedActivationFunction": "RELU6", "dilationHFactor": 1, "dilationWFactor": 1,
        }  # fmt: skip
        outputs = CHANNELS * multiplier
        parts = [net.picture, net.normal(1, 3, 3, outputs), net.normal(outputs)]
        return net.op("DEPTHWISE_CONV_2D", parts, (1, *sides, outputs), (DEPTHWISE, options))

    return make


def dense(net: Net, source: int, inputs: int, shape: tuple[int, ...], keeps: bool = False) -> int:
    options = {"keepNumDims": keeps, "fusedActivationFunction": "RELU"}
    parts = [source, net.normal(5, inputs, spread=0.2), net.normal(5)]
    return net.op("FULLY_CONNECTED", parts, shape, ("FullyConnectedOptions", options), 5 if keeps else 1)


def flat_dense(net: Net) -> int:
    """A whole picture in a row, in the order of the file."""
    count = HEIGHT * WIDTH * CHANNELS
    row = net.op("RESHAPE", [net.picture, net.whole(1, count)], (1, count), RESHAPE)
    return dense(net, row, count, (1, 5))


def dense_of_a_picture(net: Net) -> int:
    """Without a reshape before it."""
    return dense(net, net.picture, HEIGHT * WIDTH * CHANNELS, (1, 5))


def dense_of_pixels(net: Net) -> int:
    return dense(net, net.picture, CHANNELS, (1, HEIGHT, WIDTH, 5), True)


def dense_without_bias(net: Net) -> int:
    row = net.op("MEAN", [net.picture, net.whole(1, 2)], (1, CHANNELS), ("ReducerOptions", {}))
    return net.op(
        "FULLY_CONNECTED", [row, net.normal(5, CHANNELS), -1], (1, 5), ("FullyConnectedOptions", {})
    )


def pool(code: str, padding: str, stride: int = 2, kernel: int = 3) -> Make:
    def make(net: Net) -> int:
        sides = [
            -(-side // stride) if padding == "SAME" else (side - kernel) // stride + 1
            for side in (HEIGHT, WIDTH)
        ]
        options = {
            "padding": padding, "strideH": stride, "strideW": stride, "filterHeight": kernel,
            "filterWidth": kernel,
        }  # fmt: skip
        return net.op(code, [net.picture], (1, *sides, CHANNELS), (POOL, options))

    return make


def unary(code: str, options: Any = None, positive: bool = False) -> Make:
    def make(net: Net) -> int:
        source = net.picture
        if positive:
            source = net.op("ABS", [source], PICTURE)
            source = net.op("ADD", [source, net.constant(np.float32([0.1]))], PICTURE, ("AddOptions", {}))
        return net.op(code, [source], PICTURE, options)

    return make


def binary(code: str, options: str | None, *shape: int, positive: bool = False) -> Make:
    def make(net: Net) -> int:
        value = net.rng.normal(0, 1.0, shape).astype(np.float32)
        other = net.constant(np.abs(value) + np.float32(0.5) if positive else value)
        source = net.op("ABS", [net.picture], PICTURE) if positive else net.picture
        return net.op(code, [source, other], PICTURE, (options, {}) if options else None)

    return make


def first_operand(net: Net) -> int:
    """A constant before the picture."""
    return net.op("SUB", [net.normal(CHANNELS), net.picture], PICTURE, ("SubOptions", {}))


def fused_sum(net: Net) -> int:
    other = net.op("NEG", [net.picture], PICTURE)
    half = net.op("MUL", [other, net.constant(np.float32([0.5]))], PICTURE, ("MulOptions", {}))
    options = {"fusedActivationFunction": "RELU_N1_TO_1"}
    return net.op("ADD", [net.picture, half], PICTURE, ("AddOptions", options))


def reduced(code: str, axes: tuple[int, ...], keeps: bool) -> Make:
    def make(net: Net) -> int:
        wanted = {axis % 4 for axis in axes}
        kept = [1 if axis in wanted else side for axis, side in enumerate(PICTURE)]
        left = [side for axis, side in enumerate(PICTURE) if axis not in wanted]
        options = ("ReducerOptions", {"keepDims": keeps})
        return net.op(code, [net.picture, net.whole(*axes)], kept if keeps else left, options)

    return make


def pad(code: str, *more: Any) -> Make:
    def make(net: Net) -> int:
        amounts = net.constant(np.int32([[0, 0], [1, 2], [0, 1], [0, 0]]))
        parts = [net.picture, amounts, *(net.constant(item) for item in more)]
        options = {"MIRROR_PAD": ("MirrorPadOptions", {"mode": 0}), "PAD": ("PadOptions", {})}.get(code)
        return net.op(code, parts, (1, HEIGHT + 3, WIDTH + 1, CHANNELS), options or ("PadV2Options", {}))

    return make


def padded_conv(net: Net) -> int:
    """As TensorFlow writes strides: zeros at the bottom and right, then VALID."""
    amounts = net.constant(np.int32([[0, 0], [0, 1], [1, 1], [0, 0]]))
    padded = net.op("PAD", [net.picture, amounts], (1, HEIGHT + 1, WIDTH + 2, CHANNELS), ("PadOptions", {}))
    options = {"padding": "VALID", "strideH": 2, "strideW": 2, "dilationHFactor": 1, "dilationWFactor": 1}
    parts = [padded, net.normal(4, 3, 3, CHANNELS), net.normal(4)]
    return net.op("CONV_2D", parts, (1, 3, 3, 4), (CONV, options))


def concatenation(axis: int) -> Make:
    def make(net: Net) -> int:
        other = net.op("RELU", [net.picture], PICTURE)
        shape = [side * (2 if at == axis % 4 else 1) for at, side in enumerate(PICTURE)]
        options = ("ConcatenationOptions", {"axis": axis})
        return net.op("CONCATENATION", [net.picture, other], shape, options)

    return make


def pack(net: Net) -> int:
    row = net.op("MEAN", [net.picture, net.whole(1, 2)], (1, CHANNELS), ("ReducerOptions", {}))
    other = net.op("NEG", [row], (1, CHANNELS))
    options = ("PackOptions", {"axis": 1, "valuesCount": 2})
    return net.op("PACK", [row, other], (1, 2, CHANNELS), options)


def split(net: Net) -> int:
    shapes = [(1, HEIGHT, 2, CHANNELS)] * 3
    return net.ops("SPLIT", [net.whole(2), net.picture], shapes, ("SplitOptions", {"numSplits": 3}))


def split_v(net: Net) -> int:
    shapes = [(1, HEIGHT, WIDTH, 1), (1, HEIGHT, WIDTH, 2)]
    parts = [net.picture, net.whole(1, -1), net.constant(np.int32([-1]))]
    return net.ops("SPLIT_V", parts, shapes, ("SplitVOptions", {"numSplits": 2}))


def slice_of(net: Net) -> int:
    parts = [net.picture, net.whole(0, 2, 0, 1), net.whole(1, 3, -1, 2)]
    return net.op("SLICE", parts, (1, 3, WIDTH, 2), ("SliceOptions", {}))


def strided(begin: Any, end: Any, step: Any, shape: Any, **masks: int) -> Make:
    def make(net: Net) -> int:
        parts = [net.picture, net.whole(*begin), net.whole(*end), net.whole(*step)]
        return net.op("STRIDED_SLICE", parts, shape, ("StridedSliceOptions", masks))

    return make


def resize(code: str, height: int, width: int, **how: bool) -> Make:
    def make(net: Net) -> int:
        options = ("ResizeBilinearOptions" if "BILINEAR" in code else "ResizeNearestNeighborOptions", how)
        parts = [net.picture, net.whole(height, width)]
        return net.op(code, parts, (1, height, width, CHANNELS), options, 3)

    return make


def transpose(*order: int) -> Make:
    def make(net: Net) -> int:
        shape = [PICTURE[axis] for axis in order]
        return net.op("TRANSPOSE", [net.picture, net.whole(*order)], shape, ("TransposeOptions", {}))

    return make


def reshape(*shape: int, told: tuple[int, ...] = ()) -> Make:
    def make(net: Net) -> int:
        return net.op("RESHAPE", [net.picture, net.whole(*(told or shape))], shape, RESHAPE)

    return make


def shape_in_options(net: Net) -> int:
    """As the first converters wrote it: no operand."""
    return net.op("RESHAPE", [net.picture], (1, 21, 6), ("ReshapeOptions", {"newShape": [1, 21, 6]}))


def moved_axes(net: Net) -> int:
    wide = net.op("EXPAND_DIMS", [reduced("MEAN", (1,), False)(net), net.whole(1)], (1, 1, WIDTH, CHANNELS),
                  ("ExpandDimsOptions", {}))  # fmt: skip
    options = ("SqueezeOptions", {"squeezeDims": [0, 1]})
    return net.op("SQUEEZE", [wide], (WIDTH, CHANNELS), options)


def chosen(net: Net) -> int:
    options = ("GatherOptions", {"axis": 3})
    return net.op("GATHER", [net.picture, net.whole(2, 0, 2)], (1, HEIGHT, WIDTH, 3), options)


def product(turned: bool) -> Make:
    def make(net: Net) -> int:
        rows = net.op("RESHAPE", [net.picture, net.whole(1, 42, 3)], (1, 42, 3), RESHAPE)
        other = net.normal(1, 4, 3) if turned else net.normal(1, 3, 4)
        return net.op("BATCH_MATMUL", [rows, other], (1, 42, 4), ("BatchMatMulOptions", {"adjY": turned}))

    return make


def half_weights(net: Net) -> int:
    """float16 behind a DEQUANTIZE, as the converter writes them."""
    half = net.constant(net.rng.normal(0, 0.5, (4, 1, 1, CHANNELS)).astype(np.float16))
    real = net.op("DEQUANTIZE", [half], (4, 1, 1, CHANNELS), version=3)
    options = {"padding": "VALID", "strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    return net.op("CONV_2D", [net.picture, real, net.normal(4)], (1, HEIGHT, WIDTH, 4), (CONV, options))


def computed_shape(net: Net) -> int:
    """The shape of a flattened batch, as tf.shape leaves it in a file."""
    shape = net.op("SHAPE", [net.picture], (4,), ("ShapeOptions", {"outType": 2}), dtype="int32")
    masks = {"shrinkAxisMask": 1}
    parts = [shape, net.whole(0), net.whole(1), net.whole(1)]
    batch = net.op("STRIDED_SLICE", parts, (), ("StridedSliceOptions", masks), dtype="int32")
    rest = net.constant(np.int32(HEIGHT * WIDTH * CHANNELS))
    options = ("PackOptions", {"axis": 0, "valuesCount": 2})
    wanted = net.op("PACK", [batch, rest], (2,), options, dtype="int32")
    return net.op("RESHAPE", [net.picture, wanted], (1, HEIGHT * WIDTH * CHANNELS), RESHAPE)


def rewritten(net: Net) -> int:
    """Bytes within a float network."""
    how = Quantization("int8", np.float32([0.04]), -3)
    whole = net.op("QUANTIZE", [net.picture], PICTURE, ("QuantizeOptions", {}), dtype="int8", how=how)
    return net.op("DEQUANTIZE", [whole], PICTURE, ("DequantizeOptions", {}), 2)


CASES: dict[str, Make] = {
    "CONV_2D SAME": conv(),
    "CONV_2D SAME by 2": conv(2),
    "CONV_2D VALID": conv(2, "VALID", "RELU6"),
    "CONV_2D even kernel": conv(1, "SAME", "RELU", 2),
    "CONV_2D dilated": conv(1, "SAME", "RELU_N1_TO_1", 3, 2),
    "CONV_2D of pixels": conv(1, "VALID", "NONE", 1),
    "CONV_2D groups": conv(groups=3),
    "CONV_2D behind PAD": padded_conv,
    "CONV_2D float16": half_weights,
    "DEPTHWISE_CONV_2D": depthwise(1),
    "DEPTHWISE_CONV_2D by 2": depthwise(2, 2),
    "DEPTHWISE_CONV_2D VALID": depthwise(2, 1, "VALID"),
    "FULLY_CONNECTED of a row": flat_dense,
    "FULLY_CONNECTED of a picture": dense_of_a_picture,
    "FULLY_CONNECTED of pixels": dense_of_pixels,
    "FULLY_CONNECTED without bias": dense_without_bias,
    "AVERAGE_POOL_2D SAME": pool("AVERAGE_POOL_2D", "SAME"),
    "AVERAGE_POOL_2D VALID": pool("AVERAGE_POOL_2D", "VALID", 1),
    "MAX_POOL_2D SAME": pool("MAX_POOL_2D", "SAME", 2, 2),
    "MAX_POOL_2D VALID": pool("MAX_POOL_2D", "VALID"),
    **{code: unary(code) for code in (
        "ABS", "CEIL", "ELU", "FLOOR", "HARD_SWISH", "LOGISTIC", "NEG", "RELU", "RELU6", "RELU_0_TO_1",
        "RELU_N1_TO_1", "TANH",
    )},
    "EXP": unary("EXP", ("ExpOptions", {})),
    "LOG": unary("LOG", positive=True),
    "SQRT": unary("SQRT", positive=True),
    "RSQRT": unary("RSQRT", positive=True),
    "SQUARE": unary("SQUARE", ("SquareOptions", {})),
    "LEAKY_RELU": unary("LEAKY_RELU", ("LeakyReluOptions", {"alpha": 0.3})),
    "SOFTMAX": unary("SOFTMAX", ("SoftmaxOptions", {"beta": 1.7})),
    "LOG_SOFTMAX": unary("LOG_SOFTMAX", ("LogSoftmaxOptions", {})),
    "L2_NORMALIZATION": unary("L2_NORMALIZATION", ("L2NormOptions", {})),
    "PRELU": binary("PRELU", None, 1, 1, CHANNELS),
    "PRELU by pixel": binary("PRELU", None, HEIGHT, WIDTH, CHANNELS),
    "ADD": binary("ADD", "AddOptions", CHANNELS),
    "ADD fused": fused_sum,
    "SUB": binary("SUB", "SubOptions", 1, 1, 1, CHANNELS),
    "SUB from a constant": first_operand,
    "MUL": binary("MUL", "MulOptions", 1, WIDTH, 1),
    "DIV": binary("DIV", "DivOptions", 1, positive=True),
    "POW": binary("POW", "PowOptions", 1, positive=True),
    "MAXIMUM": binary("MAXIMUM", "MaximumMinimumOptions", CHANNELS),
    "MINIMUM": binary("MINIMUM", "MaximumMinimumOptions", 1),
    "SQUARED_DIFFERENCE": binary("SQUARED_DIFFERENCE", "SquaredDifferenceOptions", *PICTURE),
    "MEAN": reduced("MEAN", (1, 2), False),
    "MEAN kept": reduced("MEAN", (-3, -2), True),
    "MEAN of channels": reduced("MEAN", (3,), False),
    "SUM": reduced("SUM", (1, 2), True),
    "REDUCE_MAX": reduced("REDUCE_MAX", (1, 2), False),
    "REDUCE_MIN": reduced("REDUCE_MIN", (2,), True),
    "REDUCE_PROD": reduced("REDUCE_PROD", (3,), False),
    "PAD": pad("PAD"),
    "PADV2": pad("PADV2", np.float32([0.7])),
    "MIRROR_PAD": pad("MIRROR_PAD"),
    "CONCATENATION of channels": concatenation(3),
    "CONCATENATION of rows": concatenation(-3),
    "PACK": pack,
    "SPLIT": split,
    "SPLIT_V": split_v,
    "SLICE": slice_of,
    "STRIDED_SLICE": strided((0, 1, 0, 0), (1, 7, 6, 3), (1, 2, 1, 1), (1, 3, 6, 3), endMask=15),
    "STRIDED_SLICE shrinks": strided((0, -2, 0, 0), (0, 0, 6, 3), (1, 1, 1, 1), (1, 6, 3),
                                     beginMask=1, endMask=13, shrinkAxisMask=2),
    "STRIDED_SLICE backwards": strided((0, 0, 0, 2), (1, 7, 6, -4), (1, 1, 1, -1), PICTURE),
    "RESIZE_BILINEAR": resize("RESIZE_BILINEAR", 14, 9, halfPixelCenters=True),
    "RESIZE_BILINEAR corners": resize("RESIZE_BILINEAR", 13, 11, alignCorners=True),
    "RESIZE_BILINEAR of TensorFlow 1": resize("RESIZE_BILINEAR", 14, 9),
    "RESIZE_NEAREST_NEIGHBOR": resize("RESIZE_NEAREST_NEIGHBOR", 14, 12, halfPixelCenters=True),
    "RESIZE_NEAREST_NEIGHBOR corners": resize("RESIZE_NEAREST_NEIGHBOR", 13, 4, alignCorners=True),
    "RESIZE_NEAREST_NEIGHBOR of TensorFlow 1": resize("RESIZE_NEAREST_NEIGHBOR", 3, 14),
    "TRANSPOSE": transpose(0, 3, 1, 2),
    "TRANSPOSE of rows": transpose(0, 2, 1, 3),
    "RESHAPE": reshape(1, WIDTH, HEIGHT, CHANNELS),
    "RESHAPE with a free side": reshape(1, 126, told=(1, -1)),
    "RESHAPE in its options": shape_in_options,
    "RESHAPE by a computed shape": computed_shape,
    "SQUEEZE, EXPAND_DIMS": moved_axes,
    "GATHER": chosen,
    "BATCH_MATMUL": product(False),
    "BATCH_MATMUL turned": product(True),
    "QUANTIZE, DEQUANTIZE": rewritten,
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_graph_computes_what_the_file_does(case: str) -> None:
    net = Net()
    data = net.to_bytes(CASES[case](net))
    theirs, ours = both(data, pictures("float32"))
    assert theirs.shape == ours.shape
    span = float(np.ptp(theirs))
    assert span > 0.1, "the operator does something"
    np.testing.assert_allclose(ours, theirs, atol=1e-5 * max(span, 1.0), rtol=1e-5)


def test_every_operator_that_is_read_has_a_case() -> None:
    """CAST is beside the bytes that it casts, and what picks boxes in test_detection.py."""
    written = set()
    for make in CASES.values():
        net = Net()
        make(net)
        written |= {item.code for item in net.file.operators}
    assert set(OPERATORS) - written == {"CAST", "CUSTOM 'TFLite_Detection_PostProcess'"}
