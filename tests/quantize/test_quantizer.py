"""Scales, weights and the Q/DQ form, held to the scheme's arithmetic and to the runtime itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper

from edgenet.errors import DataError, LibraryError, UnsupportedError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.graph.qdq.onnxruntime import QDQ_FORMATS, int8_outputs, to_qdq_format
from edgenet.model import Model
from edgenet.quantize.calibration.observers import MinMax
from edgenet.quantize.calibration.ranges import affine, quantize_weights
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from tests.conftest import smooth_images

FAST = Recipe("t", "", "min-max", "per-channel", 0, 5)


def pixels(count: int, seed: int = 0) -> list[np.ndarray]:
    return [image[None] for image in smooth_images(count, seed, 64, 64)]


@given(st.floats(-1e6, 1e6, width=32), st.floats(-1e6, 1e6, width=32))
def test_a_range_is_covered_and_zero_is_exact(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    got = affine(low, high)
    assert got.scale > 0
    assert -128 <= got.zero_point <= 127
    step = got.scale * 0.501
    assert got.low <= min(low, 0) + step or got.scale == 1.0
    assert got.high >= max(high, 0) - step or got.scale == 1.0


def test_relu6_range_uses_every_step() -> None:
    got = affine(0.0, 6.0)
    assert got.zero_point == -128
    assert got.scale == pytest.approx(6 / 255)
    nothing = affine(0.0, 0.0)
    assert (nothing.low, nothing.high) == pytest.approx((0.0, 1.0))


@given(st.integers(1, 5), st.integers(0, 10**6))
def test_weights_are_within_half_a_step(channels: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    kernel = (generator.normal(size=(channels, 4, 3, 3)) * 10.0 ** generator.uniform(-6, 3)).astype(
        np.float32
    )
    bias = generator.normal(size=channels).astype(np.float32)
    got = quantize_weights(kernel, bias, 0.05)
    scales = got.scales.astype(np.float64)[:, None, None, None]
    assert np.abs(kernel - got.values * scales).max(axis=(1, 2, 3)).max() <= 0.5001 * scales.max()
    assert np.abs(bias - got.bias * got.bias_scales.astype(np.float64)).max() <= 0.51 * got.bias_scales.max()
    assert got.values.min() >= -127


def test_a_dead_channel_does_not_overflow_its_bias() -> None:
    """Tiny weights beside a large bias: naive scales ask for a bias of 4e9 steps (onnxruntime#11415)."""
    kernel = np.full((2, 1, 3, 3), 1e-9, np.float32)
    kernel[1] = 0
    got = quantize_weights(kernel, np.array([3.0, -2.0], np.float32), 0.02)
    real = got.bias * got.bias_scales.astype(np.float64)
    assert real == pytest.approx([3.0, -2.0], rel=1e-3)
    assert np.abs(got.bias.astype(np.int64)).max() <= 2**30


def test_min_max_keeps_the_extremes_and_refuses_nan() -> None:
    observer = MinMax()
    observer.update(np.array([1.0, -2.0], np.float32))
    observer.update(np.array([0.5], np.float32))
    assert observer.range() == (-2.0, 1.0)
    with pytest.raises(DataError, match="NaN"):
        observer.update(np.array([np.nan], np.float32))


@pytest.fixture(scope="module")
def int8(model: Model) -> Model:
    return quantize(prepare(model), FAST, pixels(16))[0]


def test_the_canonical_form(int8: Model) -> None:
    kinds = Counter(node.op_type for node in int8.proto.graph.node)
    assert kinds["Conv"] == 28
    assert kinds["Clip"] == kinds["Cast"] == kinds["Add"] == 0, (
        "implied by the ranges, or the pixels' zero point"
    )
    assert kinds["QuantizeLinear"] == 30  # 28 convolutions, the pool, the flattened scores
    constants = {item.name: numpy_helper.to_array(item) for item in int8.proto.graph.initializer}
    kernels = [value for value in constants.values() if value.dtype == np.int8 and value.ndim == 4]
    assert len(kernels) == 28
    read = [
        constants.get(node.input[0]) for node in int8.proto.graph.node if node.op_type == "DequantizeLinear"
    ]
    assert sum(value is not None and value.dtype == np.int32 for value in read) == 28, "the biases"
    assert not [name for name, v in constants.items() if v.dtype == np.float32 and v.ndim == 4], (
        "float kernel left"
    )


def test_answers_stay_close(model: Model, int8: Model) -> None:
    prepared = Evaluator(prepare(model).proto)
    quantized = Evaluator(int8.proto)
    for item in pixels(10, seed=5):
        a, b = prepared.row(item), quantized.row(item)
        assert np.corrcoef(a, b)[0, 1] > 0.97


def test_every_form_gives_the_same_whole_numbers(int8: Model) -> None:
    """Only where a form's CPU kernels do not saturate; without the optimizer nothing can."""
    results = []
    for form in QDQ_FORMATS:
        graph = Graph(int8.proto)
        to_qdq_format(graph, form)
        scores = int8_outputs(graph)
        evaluator = Evaluator(graph.proto(), optimize=False)
        outputs = [evaluator.row(item) for item in pixels(4, seed=9)]
        assert outputs[0].dtype == np.int8
        results.append((scores, np.stack(outputs)))
    for scores, outputs in results[1:]:
        assert scores == results[0][0]
        assert np.array_equal(outputs, results[0][1])


def test_int8_scores_mean_the_float_scores(int8: Model) -> None:
    graph = Graph(int8.proto)
    to_qdq_format(graph, "s8s8")
    found = int8_outputs(graph)
    assert found is not None
    (scores,) = found.outputs
    item = pixels(1, seed=11)[0]
    raw = Evaluator(graph.proto()).row(item).astype(np.float64)
    assert scores.scale * (raw - scores.zero_point) == pytest.approx(
        Evaluator(int8.proto).row(item), abs=1e-5
    )


def test_different_means_keep_an_int8_add(model: Model) -> None:
    how = replace(model.preprocessing, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
    prepared = prepare(replace(model, preprocessing=how))
    got = quantize(prepared, FAST, pixels(8))[0]
    assert Counter(node.op_type for node in got.proto.graph.node)["Add"] == 1
    item = pixels(1, seed=3)[0]
    a, b = Evaluator(prepared.proto).row(item), Evaluator(got.proto).row(item)
    assert np.corrcoef(a, b)[0, 1] > 0.97


def test_same_images_same_bytes(model: Model) -> None:
    first, second = (
        quantize(prepare(model), FAST, pixels(4))[0].proto.SerializeToString(deterministic=True) for _ in "ab"
    )
    assert first == second


def test_memory_does_not_grow_with_images(model: Model) -> None:
    """Images come from an iterator and are let go: the same array object serves a thousand of them."""
    item = pixels(1)[0]
    seen = []
    account = quantize(prepare(model), FAST, (item for _ in range(300)), lambda *told: seen.append(told[1]))[
        1
    ]
    assert account.images == 300
    assert seen == list(range(1, 301))


def test_no_image_and_unknown_observer(model: Model) -> None:
    with pytest.raises(DataError, match="no calibration image"):
        quantize(prepare(model), FAST, [])
    with pytest.raises(LibraryError, match="no observer 'magic'.*min-max"):
        quantize(prepare(model), replace(FAST, observer="magic"), pixels(1))


def test_nan_weights_name_the_layer(model: Model) -> None:
    prepared = prepare(model)
    proto = onnx.ModelProto()
    proto.CopyFrom(prepared.proto)
    last = [node for node in proto.graph.node if node.op_type == "Conv"][-1]
    for item in proto.graph.initializer:
        if item.name == last.input[2]:
            values = numpy_helper.to_array(item).copy()
            values[0] = np.nan
            item.CopyFrom(numpy_helper.from_array(values, item.name))
    with pytest.raises((UnsupportedError, DataError), match=f"{last.name}|NaN"):
        quantize(prepared.with_proto(proto), FAST, pixels(2))


def test_per_tensor_weights_have_one_scale(model: Model) -> None:
    got = quantize(prepare(model), replace(FAST, granularity="per-tensor"), pixels(2))[0]
    scales = [
        numpy_helper.to_array(item)
        for item in got.proto.graph.initializer
        if item.name.endswith("/scale") and numpy_helper.to_array(item).ndim == 1
    ]
    assert scales
    assert sum(len(np.unique(value)) == 1 for value in scales) >= 28
