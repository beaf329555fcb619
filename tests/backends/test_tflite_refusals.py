"""What TFLite cannot say is refused by name, before anything is written."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edgenet.errors import UnsupportedError
from edgenet.graph.graph import Graph
from edgenet.model import Model
from tests.backends.tflite_graphs import Net, lowered, quantized, v1_like


def transposed(net: Net) -> str:
    return net.node("Transpose", net.conv(net.top, 3, 8), perm=[0, 1, 3, 2])


def unknown(net: Net) -> str:
    return net.node("Softplus", net.conv(net.top, 3, 8))


def padded_average(net: Net) -> str:
    top = net.conv(net.top, 3, 8)
    return net.node("AveragePool", top, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])


def stepping_slice(net: Net) -> str:
    cuts = [np.array([item]) for item in (0, 9, 2, 2)]
    return net.node("Slice", net.conv(net.top, 3, 8), *map(net.constant, cuts))


def dilated_maximum(net: Net) -> str:
    return net.node("MaxPool", net.conv(net.top, 3, 8), kernel_shape=[2, 2], dilations=[2, 2])


def height_concat(net: Net) -> str:
    top = net.conv(net.top, 3, 8)
    return net.node("Concat", top, top, axis=2)


def colored_pad(net: Net) -> str:
    pads = net.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1]))
    return net.node("Pad", net.conv(net.top, 3, 8), pads, net.constant(np.float32(1)))


def mirrored_pad(net: Net) -> str:
    pads = net.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1]))
    return net.node("Pad", net.conv(net.top, 3, 8), pads, mode="reflect")


def computed_kernel(net: Net) -> str:
    return net.node("Conv", net.top, net.node("MaxPool", net.top, kernel_shape=[16, 16]))


CASES: dict[str, tuple[Callable[[Net], str], str]] = {
    "transpose": (transposed, r"Transpose .*inside the network"),
    "operator": (
        unknown,
        r"Softplus 'softplus\d+': it has no form in TFLite here: choose backend=.onnxruntime.",
    ),
    "average with pytorch's pads": (padded_average, r"AveragePool .*pads \(1, 1, 0, 0\)"),
    "slice with steps": (stepping_slice, r"Slice .*steps over"),
    "dilated maximum": (dilated_maximum, r"MaxPool .*dilated"),
    "concat over height": (height_concat, r"Concat .*axis 2"),
    "pad with a value": (colored_pad, r"Pad .*zeros"),
    "reflecting pad": (mirrored_pad, r"Pad .*zeros"),
    "computed kernel": (computed_kernel, r"Conv .*operand 1 is computed at run time"),
}


@pytest.mark.parametrize("case", CASES)
def test_float(case: str) -> None:
    make, message = CASES[case]
    net = Net()
    top = make(net)
    channels = {"computed kernel": 1}.get(case, 8)
    net.classify(top, channels)
    with pytest.raises(UnsupportedError, match=f"tflite: {message}") as caught:
        lowered(net.model())
    assert caught.value.remedy


def test_flattening_a_whole_picture() -> None:
    """[1, C, H, W] flattened is in another order in NHWC; a silent RESHAPE would shuffle the features."""
    net = Net(8, 8)
    flat = net.node("Flatten", net.conv(net.top, 3, 4))
    net.node("Gemm", flat, net.constant(np.ones((4 * 36, 10), np.float32)))
    with pytest.raises(UnsupportedError, match=r"Flatten .*laid out differently in NHWC"):
        lowered(net.model())


def edited(change: Callable[[Graph], None]) -> Model:
    model = quantized(v1_like())
    graph = Graph(model.proto)
    change(graph)
    return model.with_proto(graph.proto())


def wrong_bias_scale(graph: Graph) -> None:
    conv = next(node for node in graph.nodes if node.op_type == "Conv")
    name = graph.producer(conv.input[2]).input[1]
    graph.constants[name] = graph.constants[name] * np.float32(1.5)


def asymmetric_weights(graph: Graph) -> None:
    conv = next(node for node in graph.nodes if node.op_type == "Conv")
    name = graph.producer(conv.input[1]).input[2]
    graph.constants[name] = graph.constants[name] + np.int8(3)


def other_scale_behind(graph: Graph) -> None:
    pool = next(node for node in graph.nodes if node.op_type == "GlobalAveragePool")
    back = graph.consumers(graph.consumers(pool.output[0])[0].output[0])[0]
    graph.set_input(back, 1, graph.add_constant("other", np.array(0.5, np.float32)))


QUANTIZED = {
    "bias scale": (wrong_bias_scale, "Conv .*bias scales are not input scale x weight scales"),
    "zero points of weights": (
        asymmetric_weights,
        "Conv .*a scale per channel and the zero point 3: TFLite has no kernels for both",
    ),
    "not a pair": (other_scale_behind, "DequantizeLinear .*does not dequantize"),
}


@pytest.mark.parametrize("case", QUANTIZED)
def test_int8(case: str) -> None:
    change, message = QUANTIZED[case]
    with pytest.raises(UnsupportedError, match=message):
        lowered(edited(change))


def test_bounds_that_no_int8_operator_has() -> None:
    """Behind a convolution, which in int8 gives no float for a Clip of its own: such a file did not load."""
    net = Net()
    net.classify(net.conv(net.top, 3, 8, clip=(-0.5, 3.0)), 8)
    with pytest.raises(
        UnsupportedError, match=r"tflite: Clip .*int8 Clip to \(-0\.5, 3\.0\) has no TFLite operator"
    ):
        lowered(quantized(net.model()))
