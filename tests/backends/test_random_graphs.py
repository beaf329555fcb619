"""Random networks of the supported operators, both runtimes for real: float to float, int8 to int8."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenet.backend import load_backend
from edgenet.backends.lowering.layer_outputs import tflite_layers
from edgenet.graph.trace import LayerByLayer, onnx_layers
from edgenet.model import Model
from edgenet.target import Target
from tests.backends.tflite_graphs import BOARD, Net, counts, images, lowered, quantized, run, truth

PADS = ("valid", "same", "pytorch", "uneven")
BLOCKS = ("conv", "depthwise", "residual", "squeeze", "pool", "concat")
ACTIVATIONS = ("none", "relu", "relu6", "hswish", "prelu", "leaky")


class Drawn(Net):
    """A network that grows by drawn blocks; ``depth`` and ``side`` follow the last tensor."""

    def __init__(self, height: int, width: int, seed: int) -> None:
        super().__init__(height, width, 127.5, seed)
        self.depth, self.side = 3, (height, width)

    def activated(self, top: str, kind: str) -> str:
        if kind == "hswish":
            return self.node("HardSwish", top)
        if kind == "prelu":  # of the depth of the convolution before it
            slopes = self.rng.uniform(-3, 1, self.weights[-1].dims[0]).astype(np.float32)
            return self.node("PRelu", top, self.constant(slopes.reshape(-1, 1, 1)))
        if kind == "leaky":
            return self.node("LeakyRelu", top, alpha=0.2)
        if kind == "relu":
            return self.node("Relu", top)
        return self.clip(top, 0.0, 6.0) if kind == "relu6" else top

    def window(self, kernel: int, stride: int, dilation: int, pads: str) -> dict:
        """Attributes of a convolution that fits, and the new side."""
        reach = (kernel - 1) * dilation + 1
        if pads == "valid" and min(self.side) < reach:
            pads = "same"
        half = reach // 2
        amounts = {
            "valid": [0, 0, 0, 0],
            "pytorch": [half, half, half, half],
            "uneven": [half, 0, max(reach - 1 - half, 0), reach - 1],
        }.get(pads)
        if amounts is None:
            total = [max((-(-side // stride) - 1) * stride + reach - side, 0) for side in self.side]
            amounts = [item // 2 for item in total] + [item - item // 2 for item in total]
        self.side = tuple(
            (side + amounts[axis] + amounts[axis + 2] - reach) // stride + 1
            for axis, side in enumerate(self.side)
        )
        return {"strides": [stride] * 2, "dilations": [dilation] * 2, "pads": amounts}

    def grow(self, top: str, draw: st.DrawFn) -> str:
        block, kind = draw(st.sampled_from(BLOCKS)), draw(st.sampled_from(ACTIVATIONS))
        kernel = draw(st.sampled_from([1, 3, 5, 7]))
        stride = draw(st.sampled_from([1, 2])) if min(self.side) > 6 else 1
        pads = draw(st.sampled_from(PADS))
        depth = self.depth
        if block == "depthwise":
            dilation = draw(st.sampled_from([1, 1, 2])) if stride == 1 else 1
            how = self.window(kernel, stride, dilation, pads)
            self.depth = depth * draw(st.sampled_from([1, 1, 2]))
            return self.activated(self.conv(top, depth, self.depth, kernel, None, depth, **how), kind)
        if block == "residual":
            branch = self.activated(self.conv(top, depth, 2 * depth, 1, None), kind)
            return self.node("Add", top, self.conv(branch, 2 * depth, depth, 1, None))
        if block == "squeeze":
            gate = self.clip(self.conv(self.node("GlobalAveragePool", top), depth, depth, 1, None), 0.0, 6.0)
            return self.node("Mul", top, gate)
        if block == "pool" and min(self.side) > 4:
            operator = draw(st.sampled_from(["MaxPool", "AveragePool"]))
            self.side = tuple(side // 2 for side in self.side)
            return self.node(operator, top, kernel_shape=[2, 2], strides=[2, 2])
        if block == "concat":
            other = self.activated(self.conv(top, depth, 4, 1, None), kind)
            self.depth += 4
            return self.node("Concat", top, other, axis=1)
        self.depth = draw(st.integers(2, 12))
        how = self.window(kernel, stride, 1, pads)
        return self.activated(self.conv(top, depth, self.depth, kernel, None, **how), kind)


@st.composite
def networks(draw: st.DrawFn) -> Model:
    net = Drawn(draw(st.integers(9, 20)), draw(st.integers(9, 20)), draw(st.integers(0, 99)))
    net.depth = draw(st.integers(4, 10))
    top = net.conv(net.top, 3, net.depth, 3, None, **net.window(3, 1, 1, draw(st.sampled_from(PADS))))
    for _ in range(draw(st.integers(1, 4))):
        top = net.grow(top, draw)
    net.classify(top, net.depth)
    return net.model()


# The same examples in every run.
@settings(max_examples=12, derandomize=True, suppress_health_check=list(HealthCheck))
@given(networks())
def test_two_runtimes_agree(model: Model) -> None:
    """In float within 1e-4 of the range; in int8 the same number, score by score."""
    shown = images(model, 4)
    with tempfile.TemporaryDirectory() as folder:
        expected = truth(model, shown)
        for board in (BOARD, Target.load("rtx-laptop")):
            got = run(model, shown, Path(folder), board)
            assert np.abs(got - expected).max() <= 1e-4 * max(np.ptp(expected), 1e-3)
        small = quantized(model, shown)
        assert "TRANSPOSE" not in counts(lowered(small))
        apart = np.abs(run(small, shown, Path(folder)).astype(int) - truth(small, shown, "u8s8").astype(int))
        assert (apart == 0).mean() >= 0.975  # one number of forty may lie on the middle of two steps
        assert apart.max() <= 1


@settings(max_examples=8, derandomize=True, suppress_health_check=list(HealthCheck))
@given(networks())
def test_every_layer_computes_what_the_graph_says(model: Model) -> None:
    """From the same int8 values before it, each layer of both files gives the numbers of Q/DQ in float."""
    (picture,) = images(model, 1)
    small = quantized(model, [picture])
    board = Target.load("local")
    for backend, look in (("tflite", tflite_layers), ("onnxruntime", onnx_layers)):
        found = look(load_backend(backend).lower(small, board).data, picture)
        layers = LayerByLayer(small.proto, found)
        assert len(layers.names) >= 3
        for name, expected in layers.run(picture, found)[0].items():
            apart = np.abs(found[name].astype(int) - expected.astype(int))
            assert apart.max() <= 1, name
            assert (apart == 0).mean() >= 0.99, name
