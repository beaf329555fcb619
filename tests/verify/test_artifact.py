"""A written artifact is held to the graph it was written from; a fault in the file is found and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from onnx import numpy_helper

from edgenet.backends.onnxruntime import OnnxRuntime
from edgenet.backends.tflite import Tflite
from edgenet.errors import ModelError
from edgenet.graph.passes.prepare import prepare
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.steps.compile import compile
from edgenet.target import Target
from edgenet.verify.artifact import float_tolerance, verify_artifact
from edgenet.verify.host import run_artifact
from tests.conftest import CHEAP

BACKENDS = {"tflite": Tflite, "onnxruntime": OnnxRuntime}
NINTH = 8  # of the convolutions, in order: block4/pointwise


def shifted(values: np.ndarray, by: float) -> np.ndarray:
    """A bias moved by a share of its largest number."""
    return (values + np.abs(values).max() * by).astype(values.dtype)


def wrong_bias_tflite(data: bytes, by: float) -> bytes:
    """The file with one bias changed."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    graph = model.subgraphs[0]
    convolution = [item for item in graph.operators if len(item.inputs) == 3][NINTH]
    buffer = model.buffers[graph.tensors[convolution.inputs[2]].buffer]
    kind = np.int32 if graph.tensors[convolution.inputs[2]].type == schema.TensorType.INT32 else np.float32
    buffer.data = np.frombuffer(shifted(buffer.data.view(kind), by).tobytes(), np.uint8)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def wrong_bias_onnx(data: bytes, by: float) -> bytes:
    """The graph with one bias changed."""
    proto = onnx.load_model_from_string(data)
    convolution = [node for node in proto.graph.node if node.op_type == "Conv"][NINTH]
    behind = {node.output[0]: node.input[0] for node in proto.graph.node}
    name = behind.get(convolution.input[2], convolution.input[2])
    bias = next(item for item in proto.graph.initializer if item.name == name)
    bias.CopyFrom(numpy_helper.from_array(shifted(numpy_helper.to_array(bias), by), bias.name))
    return bytes(proto.SerializeToString())


WRONG = {"tflite": wrong_bias_tflite, "onnxruntime": wrong_bias_onnx}


def break_file(monkeypatch: pytest.MonkeyPatch, backend: str, precision: str, by: float) -> None:
    """From now on the backend writes that wrong bias into files of one precision."""
    kind = BACKENDS[backend]
    lower: Callable[..., Any] = kind.lower

    def faulty(self: Any, model: Model, target: Target) -> Any:
        artifact = lower(self, model, target)
        if model.precision != precision:
            return artifact
        return replace(artifact, data=WRONG[backend](artifact.data, by))

    monkeypatch.setattr(kind, "lower", faulty)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_bias_in_the_written_file_is_named(
    backend: str, model: Model, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile(model, "local", backend, "int8", CHEAP, photos)
    break_file(monkeypatch, backend, "int8", 0.5)
    with pytest.raises(
        ModelError, match=f"{backend}: the written layer 'block4/pointwise.*by up to"
    ) as error:
        compile(model, "local", backend, "int8", CHEAP, photos)
    assert "report this as a bug" in str(error.value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_bias_in_half_precision_fails(
    backend: str, model: Model, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile(model, "local", backend, "fp16", calibration=photos)
    break_file(monkeypatch, backend, "fp16", 0.05)
    with pytest.raises(ModelError, match="the written file's scores are off by"):
        compile(model, "local", backend, "fp16", calibration=photos)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_layer_is_compared_and_the_scores(backend: str, model: Model, photos: Path) -> None:
    """For this machine and for another CPU's form; scores that are not the layers' own are refused."""
    images = ImageSet.load(photos)
    pixels = np.concatenate([images.pixels(index, model.preprocessing) for index in range(3)])
    small, _ = quantize(prepare(model), Recipe.load(CHEAP), [item[None] for item in pixels])
    lowering = BACKENDS[backend]()
    for target in (Target.load("local"), Target.load("raspberry-pi-4")):
        artifact = lowering.lower(small, target)
        answers = run_artifact(backend, artifact.file, artifact.data, pixels)
        assert (
            verify_artifact(backend, artifact, small, pixels, answers) >= 29
        )  # 28 convolutions and the mean
        with pytest.raises(ModelError, match="scores are off"):
            verify_artifact(backend, artifact, small, pixels, np.clip(answers, -128, 87) + np.int8(40))


@pytest.mark.shared
@pytest.mark.parametrize("target", ["local", "raspberry-pi-4"])
def test_kernels_that_are_fused_where_nobody_looks_are_no_fault(shared: Path, target: str) -> None:
    """The scores of MobileNetV1 0.25 for Arm are up to three steps from those of a run that is looked at."""
    model = Model.load(shared / "data/models/mobilenet_v1_025_224.onnx")
    images = ImageSet.load(shared / "data/imagenet/calib").head(64)
    assert compile(model, target, "onnxruntime", "int8", calibration=images).bundle.artifact


def test_rounding_is_no_difference_where_a_network_says_the_same_of_every_picture() -> None:
    """Its answers span less than one of them is rounded by; a share of that span would blame the writer."""
    same = np.full((4, 1), 0.25, np.float32)
    assert float_tolerance(same) >= 1e-6
    assert float_tolerance(np.array([[0.0, 50.0]], np.float32)) == pytest.approx(5e-3)
    assert float_tolerance(same) < 1e-3
