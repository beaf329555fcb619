"""TFLite files between float and int8: some layers float, int8 weights only, half-precision weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from edgenet.backends.tflite import backend
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.graph.qdq.align_scales import align_scales
from edgenet.model import Model
from tests.backends.test_tflite_models import prepared
from tests.backends.tflite_graphs import (
    BOARD,
    SHARED,
    TYPES,
    counts,
    images,
    lowered,
    parsed,
    quantized,
    run,
    v1_like,
)


def real(graph: Graph, name: str) -> np.ndarray:
    """The float value of a dequantized constant."""
    node = graph.producer(name)
    steps, scale = (graph.constants[item].astype(np.float64) for item in node.input[:2])
    return (steps * scale.reshape(-1, *[1] * (steps.ndim - 1))).astype(np.float32)


def with_float(model: Model, layers: range, count: int) -> Model:
    """Convolutions of an int8 model (by number) in float again; none of what is between two is rounded."""
    graph = Graph(model.proto)
    convolutions = [node for node in graph.nodes if node.op_type == "Conv"]
    assert len(convolutions) == count
    for number in layers:
        conv = convolutions[number]
        for position in (1, 2):
            value = real(graph, conv.input[position])
            graph.set_input(conv, position, graph.add_constant(f"float{number}", value))
        after = graph.sole_consumer(conv.output[0])
        while number + 1 in layers and after.op_type != "Conv":
            following = graph.consumers(after.output[0])[0]
            if after.op_type in ("QuantizeLinear", "DequantizeLinear"):
                graph.bypass(after)
            after = following
    return model.with_proto(graph.proto())


def settled_truth(model: Model, shown: list[np.ndarray]) -> np.ndarray:
    """Q/DQ computed in float, node by node."""
    graph = Graph(model.proto)
    align_scales(graph)
    evaluator = Evaluator(graph.proto(), optimize=False)
    return np.stack([evaluator.row(picture) for picture in shown])


# Float layers of eight: quantizes (the pixels' sign bit is one), dequantizes.
BORDERS = {"the first": (range(1), 2, 1), "one": (range(3, 4), 2, 1), "three": (range(2, 5), 2, 1)}


@pytest.mark.parametrize("which", BORDERS)
def test_steps_stand_at_the_borders_of_float_layers_only(which: str, tmp_path: Path) -> None:
    layers, quantizes, dequantizes = BORDERS[which]
    model = with_float(quantized(v1_like()), layers, 8)
    found = counts(lowered(model))
    assert (found["QUANTIZE"], found["DEQUANTIZE"]) == (quantizes, dequantizes)
    assert "TRANSPOSE" not in found
    shown = images(model, 5)
    artifact = backend().lower(model, BOARD)
    given = artifact.output.values(run(model, shown, tmp_path))
    expected = settled_truth(model, shown)
    assert np.abs(given - expected).max() <= 1.01 * artifact.output.scale


def test_a_float_last_layer_gives_float_scores(tmp_path: Path) -> None:
    small = quantized(v1_like())
    graph = Graph(with_float(small, range(7, 8), 8).proto)
    for _ in range(4):  # Q and DQ behind the convolution and behind the flattening
        last = [node for node in graph.nodes if node.op_type in ("QuantizeLinear", "DequantizeLinear")][-1]
        graph.bypass(last)
    model = small.with_proto(graph.proto())
    artifact = backend().lower(model, BOARD)
    assert (artifact.output.dtype, artifact.output.scale) == ("float32", None)
    shown = images(model, 3)
    expected = settled_truth(model, shown)
    assert np.abs(run(model, shown, tmp_path) - expected).max() < 0.02 * np.ptp(expected)


def weights_only(model: Model) -> Model:
    """The int8 kernels of the quantized model in the float one."""
    small, graph = Graph(quantized(model).proto), Graph(model.proto)
    kernels = [real_node for real_node in small.nodes if real_node.op_type == "Conv"]
    for conv, other in zip([node for node in graph.nodes if node.op_type == "Conv"], kernels, strict=True):
        source = small.producer(other.input[1])
        inputs = [graph.add_constant(name, small.constants[name]) for name in source.input]
        whole = graph.fresh(f"{conv.output[0]}/dequantized")
        node = helper.make_node("DequantizeLinear", inputs, [whole], name=source.name)
        node.attribute.extend(source.attribute)
        graph.insert(conv, node, small.shape(other.input[1]))
        graph.set_input(conv, 1, whole)
    return model.with_proto(graph.proto(), precision="int8-dynamic")


def test_int8_weights_with_float_activations(tmp_path: Path) -> None:
    model = prepared("v2")
    small = weights_only(model)
    shown = images(model, 3)
    whole, data = lowered(model), lowered(small)
    assert counts(data) == counts(whole)
    assert len(data) < 0.32 * len(whole)
    exact, given = run(model, shown, tmp_path), run(small, shown, tmp_path)
    assert 0 < np.abs(given - exact).mean() < 0.05 * np.ptp(exact)
    kernels = [item for item in parsed(data).subgraphs[0].tensors if TYPES[item.type] == "INT8"]
    assert len(kernels) == 36
    assert all(item.quantization.scale.size == item.shape[0] for item in kernels)


def test_half_precision_weights(tmp_path: Path) -> None:
    model = prepared("v3-small")
    half = model.with_proto(model.proto, precision="fp16")
    shown = images(model, 3)
    data = lowered(half)
    assert len(data) < 0.55 * len(lowered(model))
    assert counts(data).pop("DEQUANTIZE") == 54  # one a kernel, gone when the file is loaded
    exact = run(model, shown, tmp_path)
    error = np.abs(run(half, shown, tmp_path) - exact).max() / np.ptp(exact)
    assert 0 < error < 0.01


@pytest.mark.shared
@pytest.mark.parametrize("name", ["mobilenet_v1_025_224", "mobilenet_v2_035_224_flowers5"])
def test_half_precision_of_real_models(name: str, tmp_path: Path) -> None:
    path = SHARED / "data" / "models" / f"{name}.onnx"
    if not path.exists():
        pytest.skip("no models: set EDGENET_SHARED")
    model = prepare(Model.load(path))
    shown = images(model, 3)
    exact = run(model, shown, tmp_path)
    half = run(model.with_proto(model.proto, precision="fp16"), shown, tmp_path)
    assert np.abs(half - exact).max() < 0.02 * np.ptp(exact)
