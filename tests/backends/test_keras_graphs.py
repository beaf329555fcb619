"""Graphs as tf2onnx writes Keras models, from the file to both runtimes: the file itself is the truth.

Built by hand in its manner (tf2onnx 1.17 from Keras 3.15): NHWC from end to end, each convolution between two
Transposes, normalization as Mul and Add or folded, hard-swish spelled out, a free batch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

import edgenet
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from tests.graph.small import kinds

SIZE = (32, 24)
CARD = """
output = "probabilities"
[preprocessing]
size = [32, 24]
color = "rgb"
resize = "stretch"
interpolation = "bilinear"
mean = [0, 0, 0]
std = [1, 1, 1]
"""


class Keras:
    """A Keras model on its way through tf2onnx; every method gives the name of an NHWC tensor."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(5)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def constant(self, value: np.ndarray | float) -> str:
        name = f"const_{len(self.weights)}"
        value = np.asarray(value)
        kept = value.astype(np.float32) if value.dtype.kind == "f" else value
        self.weights.append(numpy_helper.from_array(kept, name))
        return name

    def node(self, kind: str, *inputs: str, **options: object) -> str:
        name = f"model/{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [f"{name}:0"], name=name, **options))
        return f"{name}:0"

    def conv(
        self, source: str, read: int, made: int, taps: int = 1, group: int = 1, **options: object
    ) -> str:
        planes = self.node("Transpose", source, perm=[0, 3, 1, 2])
        spread = 1.5 / np.sqrt(read // group * taps * taps)
        kernel = self.constant(self.rng.normal(0, spread, (made, read // group, taps, taps)))
        bias = self.constant(self.rng.normal(0, 0.2, made))
        top = self.node("Conv", planes, kernel, bias, group=group, kernel_shape=[taps, taps], **options)
        return self.node("Transpose", top, perm=[0, 2, 3, 1])

    def gate(self, source: str) -> str:
        raised = self.node("Add", source, self.constant(3.0))
        clipped = self.node("Clip", raised, self.constant(0.0), self.constant(6.0))
        return self.node("Mul", clipped, self.constant(1 / 6))

    def squeeze(self, source: str, channels: int) -> str:
        pooled = self.node("ReduceMean", source, axes=[1, 2], keepdims=1)
        low = self.node("Relu", self.conv(pooled, channels, 4))
        return self.node("Mul", source, self.gate(self.conv(low, 4, channels)))

    def file(self, folder: Path, last: str) -> Path:
        self.nodes[-1].output[0] = last = "Identity:0"
        batch_first = ["unk__1", *SIZE, 3]
        body = helper.make_graph(
            self.nodes,
            "tf2onnx",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, batch_first)],
            [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["unk__2", 6])],
            self.weights,
        )
        proto = helper.make_model(body, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
        path = folder / "keras.onnx"
        onnx.save(proto, path)
        path.with_suffix(".toml").write_text(CARD)
        return path


def mobilenet_v3(folder: Path) -> Path:
    """Rescaling, a stem, an inverted residual with squeeze-and-excite, and the head."""
    keras = Keras()
    top = keras.node("Add", keras.node("Mul", "input", keras.constant(1 / 127.5)), keras.constant(-1.0))
    pads = keras.constant(np.array([0, 0, 0, 0, 0, 1, 1, 0]))
    top = keras.conv(keras.node("Pad", top, pads, mode="constant"), 3, 8, 3, strides=[2, 2])
    top = keras.node("Mul", top, keras.gate(top))
    wide = keras.conv(top, 8, 16)
    wide = keras.node("Mul", wide, keras.gate(wide))
    wide = keras.conv(wide, 16, 16, 3, 16, pads=[1, 1, 1, 1])
    scaled = keras.node("Mul", wide, keras.constant(keras.rng.uniform(0.5, 1.5, 16)))
    wide = keras.node("Sub", scaled, keras.constant(keras.rng.normal(0, 0.2, (1, 1, 1, 16))))
    top = keras.node("Add", keras.conv(keras.squeeze(wide, 16), 16, 8), top)
    pooled = keras.node("ReduceMean", keras.node("Relu", top), axes=[1, 2], keepdims=1)
    scores = keras.conv(pooled, 8, 6)
    flat = keras.node("Reshape", scores, keras.constant(np.array([-1, 6])))
    return keras.file(folder, keras.node("Softmax", flat, axis=-1))


def transfer(folder: Path) -> Path:
    """``preprocess_input`` of the torch kind on a base, Flatten, Dense, BatchNormalization, Dense."""
    keras = Keras()
    scaled = keras.node("Div", "input", keras.constant(255.0))
    centered = keras.node("Sub", scaled, keras.constant(np.array([0.485, 0.456, 0.406])))
    top = keras.node("Div", centered, keras.constant(np.array([0.229, 0.224, 0.225])))
    top = keras.node(
        "Clip", keras.conv(top, 3, 8, 3, strides=[4, 4]), keras.constant(0.0), keras.constant(6.0)
    )
    flat = keras.node("Reshape", top, keras.constant(np.array([-1, 8 * 8 * 6])))
    dense = keras.node("MatMul", flat, keras.constant(keras.rng.normal(0, 0.05, (8 * 8 * 6, 12))))
    dense = keras.node("Relu", keras.node("Add", dense, keras.constant(keras.rng.normal(0, 0.2, 12))))
    scaled = keras.node("Mul", dense, keras.constant(keras.rng.uniform(0.5, 1.5, 12)))
    moved = keras.node("Add", scaled, keras.constant(keras.rng.normal(0, 0.2, 12)))
    dense = keras.node("MatMul", moved, keras.constant(keras.rng.normal(0, 0.3, (12, 6))))
    return keras.file(folder, keras.node("Softmax", dense, axis=-1))


FORMS = {
    mobilenet_v3: {"Add": 2, "Conv": 7, "Flatten": 1, "GlobalAveragePool": 2, "HardSwish": 2, "Mul": 1},
    transfer: {"Clip": 1, "Conv": 3, "Flatten": 1, "Relu": 1},
}


@pytest.mark.parametrize("make", FORMS, ids=lambda make: make.__name__)
def test_what_is_left_is_the_network(make: object, tmp_path: Path) -> None:
    assert callable(make)
    model = Model.load(make(tmp_path))
    found = kinds(Graph(prepare(model).proto))
    assert (found.pop("Transpose"), found.pop("Cast")) == (1, 1)
    if make is mobilenet_v3:
        assert (found.pop("Relu"), found.pop("Clip")) == (2, 1)
    assert found == FORMS[make]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("backend", ["tflite", "onnxruntime"])
@pytest.mark.parametrize("make", FORMS, ids=lambda make: make.__name__)
def test_it_compiles_and_answers_as_the_file_does(
    make: object, backend: str, precision: str, tmp_path: Path
) -> None:
    """``compile`` holds the float artifact to the file on 16 images, and every int8 layer to its graph."""
    assert callable(make)
    made = edgenet.compile(make(tmp_path), "local", backend, precision, calibration="signs", cache=False)
    assert made.bundle.manifest.conversion.max_abs < 1e-4
