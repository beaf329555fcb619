"""What ONNX Runtime makes of the int8 graphs: every convolution a QLinearConv, nothing computed in float."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import onnx
import onnxruntime
import pytest

from edgenet.backends.onnxruntime import backend, qdq_format_for
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.target import Target
from tests.backends.test_tflite_models import OPERATORS, prepared
from tests.backends.tflite_graphs import SHARED, images, quantized, v2_like

# Forms and the instruction sets that ask for them.
CPUS = {
    "s8s8": ("aarch64", ("asimd",)),
    "u8s8": ("x86_64", ("avx2", "avx512_vnni")),
    "u8x8": ("x86_64", ("avx2",)),
}
WHOLE = {
    "QLinearConv",
    "QLinearAdd",
    "QLinearMul",
    "QLinearGlobalAveragePool",
    "Transpose",
    "Flatten",
    "Reshape",
}


def target_of(form: str) -> Target:
    machine, isa = CPUS[form]
    local = Target.load("local")
    return replace(local, cpu=replace(local.cpu, machine=machine, isa=isa))


def optimized(model: Model, form: str, folder: Path) -> Counter[str]:
    """Operators of the graph that ONNX Runtime really runs; Arm's choice of kernels on any CPU."""
    artifact = backend().lower(model, target_of(form))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    if form == "s8s8":
        options.add_session_config_entry("session.qdqisint8allowed", "1")
    onnxruntime.InferenceSession(artifact.data, options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)


@pytest.mark.parametrize("form", CPUS)
def test_the_form_follows_the_instruction_set(form: str) -> None:
    assert qdq_format_for(target_of(form)) == form


@pytest.mark.parametrize("form", CPUS)
@pytest.mark.parametrize("name", ["v1", "v2", "v3-small"])
def test_no_float_island(name: str, form: str, tmp_path: Path) -> None:
    """Only the pixels' own step (uint8 to int8 on Arm) and the last one (to int8 scores on x86) are left."""
    dense, depthwise, adds, means, swishes, gates = OPERATORS[name]
    found = optimized(quantized(prepared(name)), form, tmp_path)
    assert found["QLinearConv"] == dense + depthwise
    assert found["QLinearAdd"] == adds + swishes
    assert found["QLinearMul"] == gates + swishes
    assert found["QLinearGlobalAveragePool"] == means
    steps = found["QuantizeLinear"] + found["DequantizeLinear"]
    assert steps <= 2
    assert set(found) <= WHOLE | {"QuantizeLinear", "DequantizeLinear"}


@pytest.mark.shared
@pytest.mark.parametrize("stem", ["mobilenet_v1_025_224", "mobilenet_v2_035_224_flowers5"])
def test_real_models(stem: str, tmp_path: Path) -> None:
    path = SHARED / "data" / "models" / f"{stem}.onnx"
    if not path.exists():
        pytest.skip("no models: set EDGENET_SHARED")
    model = prepare(Model.load(path))
    small = quantized(model, images(model, 2))
    convolutions = sum(node.op_type == "Conv" for node in model.proto.graph.node)
    found = optimized(small, "u8s8", tmp_path)
    assert found["QLinearConv"] == convolutions
    assert "Conv" not in found


def test_a_mean_of_its_own_stays_whole(tmp_path: Path) -> None:
    """Channels with different means: the Add of the pixels is a QLinearAdd."""
    found = optimized(quantized(v2_like(mean=(103.9, 116.8, 123.7))), "u8s8", tmp_path)
    assert found["QLinearAdd"] == 3
    assert found["Add"] == 0
