"""The graphs in a real TensorRT: TensorRT for RTX parses and builds them here, for GPUs that are not here.

Skipped where ``tensorrt_rtx`` is not installed (``pip install 'edgenet[tensorrt]'``). Building proves nothing
of what a GPU then answers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from benchmarks.rtx import Built, build
from edgenet.agent.failure import Failure
from edgenet.agent.tensorrt import dialects, engines
from edgenet.backends.tensorrt import write
from edgenet.graph.given.take import take_given
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.zoo import mobilenet_v2, mobilenet_v3
from tests.backends.test_tensorrt import half, pixels, residual_model
from tests.conftest import SIZE, smooth_images
from tests.graph.given.nets import Style, network

pytestmark = pytest.mark.tensorrt

PRECISIONS = ("fp32", "fp16", "int8")
CAPABILITIES = ("7.5", "8.6", "8.9", "12.0")
# How its compiler calls the kernels that a convolution may become; a 1x1 one is a matrix product.
KERNELS = ("correlation", "gemm", "runtime_fusion")
# TensorRT for RTX 1.7 computes int8 in float on Turing: `targets/rtx-laptop.toml` says so.
NOT_FASTER = {"7.5": ("int8",), "8.6": (), "8.9": (), "12.0": ()}
TYPES = {"fp32": "Float", "fp16": "Half", "int8": "Int8"}


@pytest.fixture(scope="module")
def trt() -> Any:
    return pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX is not installed here")


def in_precision(model: Model, precision: str, images: list[np.ndarray]) -> Model:
    prepared = prepare(model)
    if precision == "int8":
        return quantize(prepared, Recipe.load("int8-minmax"), images)[0]  # the scales do not matter here
    return half(prepared) if precision == "fp16" else prepared


def check(built: Built, precision: str, convolutions: int, sm: str = "8.6") -> None:
    """No error, the expected network, and every convolution in the precision that was asked for."""
    assert built.error == ""
    assert built.network["CONVOLUTION"] == convolutions
    kernels = [layer for layer in built.layers if layer.kind in KERNELS]
    assert len(kernels) == convolutions
    assert {layer.inputs[0] for layer in kernels} == {
        "Float" if precision in NOT_FASTER[sm] else TYPES[precision]
    }
    if precision == "int8":
        assert built.network["DEQUANTIZE"] == built.network["QUANTIZE"] + convolutions
    assert not [layer for layer in built.layers if "quantize" in layer.kind.lower()], "Q/DQ are consumed"


@pytest.mark.parametrize("sm", CAPABILITIES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_mobilenet_v1(trt: Any, model: Model, precision: str, sm: str) -> None:
    data = write(in_precision(model, precision, pixels()), "10")
    check(build(trt, data, precision, sm), precision, 28, sm)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    ("proto", "convolutions"), [(mobilenet_v2, 53), (partial(mobilenet_v3, "small"), 54)]
)
def test_the_other_networks_of_the_zoo(
    trt: Any, model: Model, proto: Callable[[float, int], onnx.ModelProto], convolutions: int, precision: str
) -> None:
    """V3's squeeze-and-excite and hard-swish included."""
    network = onnx.shape_inference.infer_shapes(proto(0.35, SIZE))
    other = replace(model, proto=network, labels=())
    data = write(in_precision(other, precision, pixels(2)), "10")
    built = build(trt, data, precision, "8.9")
    assert built.error == ""
    assert built.network["CONVOLUTION"] == convolutions
    kernels = [layer for layer in built.layers if layer.kind in KERNELS]
    assert {layer.inputs[0] for layer in kernels} == {TYPES[precision]}
    assert len(kernels) >= convolutions


@pytest.mark.parametrize("relu", [False, True])
def test_a_residual_add_becomes_part_of_a_kernel(trt: Any, relu: bool) -> None:
    model = in_precision(residual_model(relu), "int8", pixels(side=16))
    built = build(trt, write(model, "10"), "int8", "8.6")
    check(built, "int8", 5)
    fused = [
        layer for layer in built.layers if layer.kind == "kgen" and set(layer.inputs) == {"Int8", "Float"}
    ]
    assert fused, "a kernel reads the int8 skip and the convolution's own result"


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_older_form_is_read_too(trt: Any, model: Model, precision: str) -> None:
    """Generation 8's graph differs in its float input and its float weights behind Q/DQ."""
    data = write(in_precision(model, precision, pixels()), "8")
    built = build(trt, data, precision, "8.6")
    assert built.error == ""
    assert built.network["CONVOLUTION"] == 28


def test_the_agent_builds_caches_and_builds_again(trt: Any, model: Model, tmp_path: Path) -> None:
    """The board's own code with a real builder; only the GPU's name is made up."""
    path = tmp_path / "graph.onnx"
    path.write_bytes(write(in_precision(model, "fp16", []), "10"))
    manifest = {"digest": "a" * 64, "artifact": "b" * 64, "build": {"precision": "fp16", "dla_core": None}}
    told = []

    def finish(sm: str) -> dict[str, Any]:
        gpu = {"gpu": "RTX", "sm": sm, "driver": "13.0"}
        folder = str(tmp_path / "engines")
        dialect = dialects.dialect_for(trt)
        return engines.finish(
            trt, dialect, gpu, str(path), manifest, folder, lambda *e: told.append(e), 8 << 30
        )

    first, second, other = finish("8.9"), finish("8.9"), finish("12.0")
    assert (first["cached"], second["cached"], other["cached"]) == (False, True, False)
    assert first["size"] > 100_000
    assert told[0][0] == "build"
    assert other["reason"] == "its compute capability was 8.9 and is 12.0"
    with pytest.raises(Failure, match=r"does not know compute capability 5\.3"):
        finish("5.3")


def test_an_operator_that_it_does_not_know(trt: Any, model: Model, tmp_path: Path) -> None:
    proto = onnx.load_model_from_string(write(prepare(model), "10"))
    node = next(node for node in proto.graph.node if node.op_type == "Clip")
    node.op_type, node.domain, node.name = "Peculiar", "nowhere", "activation/3"
    path = tmp_path / "graph.onnx"
    path.write_bytes(proto.SerializeToString())
    manifest = {"digest": "a" * 64, "artifact": "b" * 64, "build": {"precision": "fp32", "dla_core": None}}
    gpu = {"gpu": "RTX", "sm": "8.9", "driver": "13.0"}
    with pytest.raises(Failure, match="Peculiar activation/3") as caught:
        engines.finish(
            trt, dialects.dialect_for(trt), gpu, str(path), manifest, str(tmp_path), lambda *_: None, 8 << 30
        )
    assert "choose --backend onnxruntime" in caught.value.remedy


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_what_onnxruntimes_quantizer_writes_is_not_read(trt: Any, model_file: Path, symmetric: bool) -> None:
    """The pain that this backend cures: an int32 bias behind DequantizeLinear."""
    quantization = pytest.importorskip("onnxruntime.quantization")
    images = smooth_images(2, rows=SIZE, columns=SIZE)
    feeds = iter([{"pixels": None}])
    entry = onnx.load(model_file).graph.input[0]
    shape = [dim.dim_value for dim in entry.type.tensor_type.shape.dim]
    values = [(image.astype(np.float32) / 127.5 - 1)[None] for image in images]
    values = [value if shape[-1] == 3 else value.transpose(0, 3, 1, 2) for value in values]
    feeds = iter([{entry.name: value} for value in values])

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc,name-defined]
        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(feeds, None)

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "q.onnx"
        quantization.quantize_static(
            model_file,
            out,
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            extra_options={"ActivationSymmetric": symmetric},
        )
        built = build(trt, out.read_bytes(), "int8", "8.6")
    assert "DequantizeLinear" in built.error
    assert "Int32" in built.error or not symmetric


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_real_model(trt: Any, shared: Path, precision: str) -> None:
    for path in sorted((shared / "data" / "models").glob("*.onnx")):
        model = Model.load(path)
        side, _ = model.preprocessing.size
        data = write(in_precision(model, precision, pixels(2, side)), "10")
        for sm in CAPABILITIES[:: 1 if precision == "int8" else 3]:
            built = build(trt, data, precision, sm)
            check(built, precision, 53 if "v2" in path.name else 28, sm)


@pytest.mark.parametrize(
    "style",
    [
        Style(),
        Style(symmetric=True, activations="int8", fake=True),
        Style(symmetric=True, limits=(-0.4, 1.3), pooled_relu=True, per_channel=False),
    ],
    ids=["uint8", "symmetric int8", "activations that stand alone"],
)
def test_models_that_come_quantized(trt: Any, style: Style) -> None:
    """Their pairs stay where they are, and every convolution is int8 all the same."""
    built = build(trt, write(take_given(network(style)), "10"), "int8", "8.6")
    assert built.error == ""
    assert built.network["CONVOLUTION"] == 5
    kernels = [layer for layer in built.layers if layer.kind in KERNELS]
    assert {layer.inputs[0] for layer in kernels} == {"Int8"}
    assert len(kernels) == 5
