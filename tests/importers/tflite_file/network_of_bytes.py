"""A classifier of bytes as a converter writes one: two convolutions, a mean, a dense layer, Softmax."""

from __future__ import annotations

import numpy as np

from edgenet.backends.lowering.file import Quantization
from tests.importers.tflite_file.nets import Net

__all__ = ["CARD", "CLASSES", "SIZE", "classifier"]

SIZE, CLASSES = (32, 32), 5
CARD = f"""task = "classification"
output = "probabilities"

[preprocessing]
size = [{SIZE[0]}, {SIZE[1]}]
color = "rgb"
resize = "stretch"
interpolation = "bilinear"
mean = [127.5, 127.5, 127.5]
std = [127.5, 127.5, 127.5]
"""
WINDOW = {"padding": "SAME", "strideH": 2, "strideW": 2, "dilationHFactor": 1, "dilationWFactor": 1}


def classifier(seed: int = 3) -> bytes:
    """A file for int8 pictures [1, 32, 32, 3], with scales by channel; gives int8 probabilities [1, 5]."""
    rng = np.random.default_rng(seed)
    read = Quantization("int8", np.float32([1 / 127.5]), -1)
    net = Net((1, *SIZE, 3), "int8", read)
    rows = Quantization("int8", np.float32([0.02]), -128)

    def weights(*shape: int, axis: int, bound: Quantization) -> list[int]:
        scales = rng.uniform(0.004, 0.01, shape[axis]).astype(np.float32)
        values = net.constant(
            rng.integers(-127, 128, shape).astype(np.int8), Quantization("int8", scales, 0, axis)
        )
        bias = rng.integers(-900, 900, shape[axis]).astype(np.int32)
        scale = Quantization("int32", (scales * bound.scales).astype(np.float32), 0, 0)
        return [values, net.constant(bias, scale)]

    relu = {**WINDOW, "fusedActivationFunction": "RELU6"}
    parts = [net.picture, *weights(8, 3, 3, 3, axis=0, bound=read)]
    first = net.op("CONV_2D", parts, (1, 16, 16, 8), ("Conv2DOptions", relu), 3, "int8", rows)
    parts = [first, *weights(1, 3, 3, 8, axis=3, bound=rows)]
    options = ("DepthwiseConv2DOptions", {**relu, "depthMultiplier": 1})
    second = net.op("DEPTHWISE_CONV_2D", parts, (1, 8, 8, 8), options, 3, "int8", rows)
    keep = ("ReducerOptions", {"keepDims": False})
    mean = net.op("MEAN", [second, net.whole(1, 2)], (1, 8), keep, 2, "int8", rows)
    scores = Quantization("int8", np.float32([0.08]), 3)
    parts = [mean, *weights(CLASSES, 8, axis=0, bound=rows)]
    dense = net.op("FULLY_CONNECTED", parts, (1, CLASSES), ("FullyConnectedOptions", {}), 4, "int8", scores)
    ending = ("SoftmaxOptions", {"beta": 1.0})
    chances = Quantization("int8", np.float32([1 / 256]), -128)
    return net.to_bytes(net.op("SOFTMAX", [dense], (1, CLASSES), ending, 2, "int8", chances))
