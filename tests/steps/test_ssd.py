"""MobileNet-SSD: what is left of it as a classifier compiles, detectors are refused with node and remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgenet.errors import ModelError, UnsupportedError
from edgenet.model import Model
from edgenet.steps.compile import compile
from edgenet.zoo import mobilenet_v1
from tests.conftest import CARD, CHEAP, CLASSES, SIZE, lively


class Detector:
    """A MobileNetV1 0.25 cut behind its last convolution, to which heads are added."""

    def __init__(self) -> None:
        self.proto = lively(mobilenet_v1(0.25, SIZE, CLASSES, seed=3))
        graph = self.proto.graph
        pool = next(node for node in graph.node if node.op_type == "GlobalAveragePool")
        cut = list(graph.node).index(pool)
        shapes = {item.name: item for item in onnx.shape_inference.infer_shapes(self.proto).graph.value_info}
        sides = {
            node.output[0]: shapes[node.output[0]].type.tensor_type.shape.dim
            for node in list(graph.node)[:cut]
            if node.output[0] in shapes
        }
        self.deep = pool.input[0]
        self.middle = [name for name, dims in sides.items() if dims[2].dim_value == 4][-1]
        self.depth = {name: sides[name][1].dim_value for name in (self.deep, self.middle)}
        del graph.node[cut:]
        del graph.output[:]
        self.generator = np.random.default_rng(5)

    def constant(self, name: str, value: np.ndarray) -> str:
        self.proto.graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def node(self, op: str, inputs: list[str], name: str, **options: object) -> str:
        self.proto.graph.node.append(helper.make_node(op, inputs, [name], name=name, **options))
        return name

    def conv(self, source: str, inputs: int, outputs: int, name: str) -> str:
        kernel = self.generator.normal(0, 0.2, (outputs, inputs, 1, 1)).astype(np.float32)
        bias = self.constant(f"{name}/bias", np.zeros(outputs, np.float32))
        return self.node("Conv", [source, self.constant(f"{name}/kernel", kernel), bias], name)

    def head(self, source: str, values: int, name: str, last: int) -> str:
        """As SSD exports have it: convolution, channels last, anchors in a row."""
        top = self.node("Transpose", [self.conv(source, self.depth[source], values, name)],
                        f"{name}/nhwc", perm=[0, 2, 3, 1])  # fmt: skip
        shape = self.constant(f"{name}/shape", np.array([1, -1, last][: 3 if last else 2]))
        return self.node("Reshape", [top, shape], f"{name}/anchors")

    def both(self, values: int, name: str, last: int) -> str:
        parts = [
            self.head(item, values, f"{name}{k}", last) for k, item in enumerate((self.middle, self.deep))
        ]
        return self.node("Concat", parts, name, axis=1)

    def load(self, folder: Path, **outputs: list[int]) -> Model:
        for name, shape in outputs.items():
            info = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            self.proto.graph.output.append(info)
        onnx.save(self.proto, folder / "ssd.onnx")
        (folder / "ssd.toml").write_text(CARD)
        return Model.load(folder / "ssd.onnx")


def test_boxes_and_classes_are_refused_by_name(tmp_path: Path) -> None:
    ssd = Detector()
    ssd.both(4 * 3, "boxes", 4)
    ssd.both(CLASSES * 3, "scores", CLASSES)
    with pytest.raises(
        ModelError, match=r"2 outputs \(Concat 'boxes' 1x60x4, Concat 'scores' 1x60x5\)"
    ) as error:
        ssd.load(tmp_path, boxes=[1, 60, 4], scores=[1, 60, CLASSES])
    assert "onnx.utils.extract_model" in error.value.remedy
    assert sorted(item.name for item in tmp_path.iterdir()) == ["ssd.onnx", "ssd.toml"]


def test_a_feature_map_is_no_score(tmp_path: Path) -> None:
    ssd = Detector()
    ssd.node("Relu", [ssd.deep], "features")
    with pytest.raises(ModelError, match=r"output of Relu 'features' is 1x256x2x2, a map and no row"):
        ssd.load(tmp_path, features=[1, 256, 2, 2])


def test_anchors_in_a_row_keep_their_order_in_tflite(tmp_path: Path, photos: Path) -> None:
    """Channels last is how the file has a map: brought into that order and flattened, nothing is moved."""
    ssd = Detector()
    ssd.both(CLASSES, "scores", 0)
    model = ssd.load(tmp_path, scores=[1, 20 * CLASSES])
    bundle = compile(model, "local", "tflite", "fp32", calibration=photos).bundle
    reference, got = bundle.array("golden/reference.npy"), bundle.array("golden/artifact.npy")
    assert np.corrcoef(reference.reshape(-1), got.reshape(-1))[0, 1] > 0.9999


def test_a_map_turned_inside_a_network_is_refused_by_tflite(tmp_path: Path, photos: Path) -> None:
    ssd = Detector()
    top = ssd.node("Transpose", [ssd.conv(ssd.deep, ssd.depth[ssd.deep], CLASSES, "dense")], "turned",
                   perm=[0, 1, 3, 2])  # fmt: skip
    ssd.node("Flatten", [ssd.node("Relu", [top], "positive")], "scores", axis=1)
    model = ssd.load(tmp_path, scores=[1, 4 * CLASSES])
    with pytest.raises(
        UnsupportedError, match=r"tflite: Transpose '[a-z_0-9]*': perm \[0, 1, 3, 2\]"
    ) as error:
        compile(model, "local", "tflite", "fp32", calibration=photos)
    assert "--backend onnxruntime" in error.value.remedy


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("backend", ["tflite", "onnxruntime"])
def test_two_feature_maps_into_one_answer(tmp_path: Path, photos: Path, backend: str, precision: str) -> None:
    """The same extractor under a classifier's head compiles; its output is named as our own tensors are."""
    ssd = Detector()
    pooled = [
        ssd.node("GlobalAveragePool", [name], f"pool{k}") for k, name in enumerate((ssd.middle, ssd.deep))
    ]
    top = ssd.conv(ssd.node("Concat", pooled, "features", axis=1), sum(ssd.depth.values()), CLASSES, "dense")
    ssd.node("Flatten", [top], "scores", axis=1)
    model = ssd.load(tmp_path, scores=[1, CLASSES])
    bundle = compile(model, "local", backend, precision, CHEAP, photos).bundle
    reference, got = bundle.array("golden/reference.npy"), bundle.array("golden/artifact.npy")
    assert (got.argmax(axis=1) == reference.argmax(axis=1)).mean() >= (1.0 if precision == "fp32" else 0.5)
