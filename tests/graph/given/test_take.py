"""A Q/DQ graph of any tool in the canonical form: the same numbers, with the user's scales and weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edgenet.backend import load_backend
from edgenet.errors import UnsupportedError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.given.take import take_given
from edgenet.graph.graph import Graph
from edgenet.model import Model
from edgenet.target import Target
from edgenet.verify.artifact import verify_artifact
from edgenet.verify.host import run_artifact
from edgenet.verify.reference import Reference
from tests.graph.given.nets import (
    SIDE,
    Quantized,
    Style,
    canonical,
    finished,
    network,
    pictures,
    simulated,
)

STEP = 0.0311  # of the scores
STYLES = {
    "uint8": Style(),
    "int8": Style(activations="int8"),
    "symmetric uint8": Style(symmetric=True),
    "symmetric int8": Style(symmetric=True, activations="int8"),
    "uint8 weights": Style(weights="uint8"),
    "a scale a kernel": Style(per_channel=False),
    "fake quantization": Style(fake=True),
    "fake quantization, uint8": Style(fake=True, weights="uint8", per_channel=False),
    "no bias": Style(bias="none"),
    "matmul": Style(dense="matmul"),
    "convolution at the end": Style(dense="conv"),
    "weights not transposed": Style(dense="untransposed"),
    "NHWC": Style(nhwc=True),
    "BGR": Style(color="bgr"),
    "a pair for each reader": Style(dedicated=True),
    "bytes": Style(mean=0, std=1, input_scale=1.0),
    "bytes by 255": Style(mean=0, std=255, input_scale=1 / 255),
    "NHWC bytes in BGR": Style(mean=0, std=255, input_scale=1 / 255, nhwc=True, color="bgr"),
    "bytes around 128": Style(mean=128, std=128, input_scale=1 / 128),
    "limits of its own": Style(limits=(0.0, 2.7)),
    "limits on both sides": Style(limits=(-0.4, 1.3), activations="int8"),
    "limits of its own, symmetric": Style(limits=(0.0, 2.7), symmetric=True),
    "an activation behind the pool": Style(pooled_relu=True, symmetric=True),
    "other steps than bytes": Style(mean=123.7, std=58.4, input_scale=0.0186),
}
BOARDS = [
    ("onnxruntime", "raspberry-pi-4"),
    ("onnxruntime", "local"),
    ("tflite", "raspberry-pi-4"),
    ("tflite", "local"),
]


def answers(backend: str, board: str, taken: Model, shown: list[np.ndarray]) -> np.ndarray:
    """An artifact's scores in real units; every layer of it is held to the canonical graph."""
    artifact = load_backend(backend).lower(taken, Target.load(board))
    pixels = np.concatenate(shown)
    raw = run_artifact(backend, artifact.file, artifact.data, pixels)
    verify_artifact(backend, artifact, taken, pixels, raw)
    return artifact.output.values(raw)


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_the_same_numbers_in_every_runtime(style: Style) -> None:
    """To the last step, on 72 scores; what the user's own graph gives is ONNX Runtime's float simulation."""
    given_model, shown = network(style), pictures(12)
    expected = simulated(given_model, shown)
    assert len(np.unique(expected)) > 20  # the networks say something
    taken = take_given(given_model)
    np.testing.assert_allclose(canonical(taken, shown), expected, atol=1e-4 * STEP)
    for backend, board in BOARDS:
        np.testing.assert_allclose(answers(backend, board, taken, shown), expected, atol=1e-4 * STEP)


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_nothing_is_left_that_nobody_reads(style: Style) -> None:
    """Such as the flattening before a dense layer that became a convolution."""
    graph = Graph(take_given(network(style)).proto)
    for node in graph.nodes:
        assert any(graph.consumers(name) or graph.is_output(name) for name in node.output), node.name


@pytest.mark.parametrize("kind", ["int8", "uint8"])
def test_symmetric_scales_reach_tensorrt_as_they_are(kind: str) -> None:
    given_model, shown = network(Style(activations=kind, symmetric=True)), pictures(12)
    found = answers("tensorrt", "jetson-orin-nano", take_given(given_model), shown)
    np.testing.assert_allclose(found, simulated(given_model, shown), atol=0.1 * STEP)


def test_tensorrt_keeps_the_ranges_of_other_scales() -> None:
    given_model, shown = network(Style()), pictures(12)
    found = answers("tensorrt", "jetson-orin-nano", take_given(given_model), shown)
    assert np.abs(found - simulated(given_model, shown)).max() < 3.5 * STEP


def test_a_float_bias_is_rounded_to_the_accumulator() -> None:
    given_model, shown = network(Style(bias="float", fake=True)), pictures(12)
    steps = np.rint((canonical(take_given(given_model), shown) - simulated(given_model, shown)) / STEP)
    assert np.abs(steps).max() <= 1
    assert (steps == 0).mean() > 0.9


def test_a_softmax_at_the_end_is_left_out() -> None:
    plain, soft = (network(Style(softmax=value)) for value in (False, True))
    taken = take_given(soft)
    assert taken.output == "logits"
    shown = pictures(4)
    np.testing.assert_array_equal(canonical(taken, shown), canonical(take_given(plain), shown))


def test_whole_weights_and_scales_are_the_users() -> None:
    """Golden: every int8 kernel, uint8 with 128 taken off, and every activation's scale."""
    given_model = network(Style(weights="uint8", mean=0, std=255, input_scale=1 / 255))
    before = {item.name: numpy_helper.to_array(item) for item in given_model.proto.graph.initializer}
    after = Graph(take_given(given_model).proto)
    kernels = [value.astype(int) - 128 for name, value in before.items() if name.startswith("w")]
    read = [after.producer(node.input[1]) for node in after.nodes if node.op_type == "Conv"]
    found = [after.constants[node.input[0]].astype(int) for node in read if node is not None]
    for ours, theirs in zip(found, kernels, strict=True):
        np.testing.assert_array_equal(ours.reshape(theirs.shape), theirs)
    scales = {
        float(after.constants[node.input[1]]) for node in after.nodes if node.op_type == "QuantizeLinear"
    }
    own = [node for node in given_model.proto.graph.node if node.op_type == "QuantizeLinear"][1:]
    assert scales == {float(before[node.input[1]]) for node in own}


def test_the_form_is_that_of_the_quantizer() -> None:
    """Where bytes are the integers nothing is computed before the first convolution."""
    taken = Graph(take_given(network(Style(mean=0, std=255, input_scale=1 / 255))).proto)
    assert [node.op_type for node in taken.nodes][:2] == ["Transpose", "DequantizeLinear"]
    kinds = {node.op_type for node in taken.nodes}
    assert kinds == {
        "Transpose", "DequantizeLinear", "QuantizeLinear", "Conv", "Add", "GlobalAveragePool", "Flatten",
    }  # fmt: skip
    for node in taken.nodes:
        if node.op_type == "QuantizeLinear":
            assert taken.constants[node.input[2]].dtype == np.int8
            assert len(taken.consumers(node.output[0])) == 1


@pytest.mark.parametrize(
    ("backend", "board", "per_channel"),
    [("tflite", "raspberry-pi-4", True), ("tensorrt", "jetson-orin-nano", False)],
)
def test_weights_with_a_zero_point_are_refused_by_name(backend: str, board: str, per_channel: bool) -> None:
    taken = take_given(network(Style(weights="asymmetric", per_channel=per_channel)))
    with pytest.raises(UnsupportedError, match=r"Conv 'conv\d+'.* weights have .*zero point.*onnxruntime"):
        load_backend(backend).lower(taken, Target.load(board))


@pytest.mark.parametrize("backend", ["onnxruntime", "tflite"])
def test_weights_with_a_zero_point_run_where_there_are_kernels(backend: str) -> None:
    given_model, shown = network(Style(weights="asymmetric", per_channel=False)), pictures(12)
    taken, expected = take_given(given_model), simulated(given_model, shown)
    for board in ("raspberry-pi-4", "local"):
        np.testing.assert_allclose(answers(backend, board, taken, shown), expected, atol=1e-4 * STEP)


@st.composite
def styles(draw: st.DrawFn) -> Style:
    mean, std, scale = draw(
        st.sampled_from(
            [(127.5, 127.5, 2 / 255), (0.0, 255.0, 1 / 255), (116.2, 57.0, 0.0183), (127.5, 127.5, 0.0081)]
        )
    )
    return Style(
        activations=draw(st.sampled_from(["uint8", "int8"])),
        symmetric=draw(st.booleans()),
        weights=draw(st.sampled_from(["int8", "uint8"])),
        per_channel=draw(st.booleans()),
        fake=draw(st.booleans()),
        bias=draw(st.sampled_from(["int32", "none"])),
        dense=draw(st.sampled_from(["gemm", "matmul", "conv", "untransposed"])),
        nhwc=draw(st.booleans()),
        color=draw(st.sampled_from(["rgb", "bgr"])),
        dedicated=draw(st.booleans()),
        limits=draw(st.sampled_from([(0.0, 6.0), (-1.0, 1.0), (-0.6, 2.2)])),
        pooled_relu=draw(st.booleans()),
        mean=mean,
        std=std,
        input_scale=scale,
        seed=draw(st.integers(0, 9999)),
    )


# The same examples in every run.
@settings(max_examples=25, derandomize=True, suppress_health_check=list(HealthCheck))
@given(styles())
def test_any_mixture_of_forms_gives_the_same_numbers(style: Style) -> None:
    """A sum may lie in the middle between two steps: one score of fifty may be a step off, none more."""
    given_model, shown = network(style), pictures(6)
    expected, taken = simulated(given_model, shown), take_given(given_model)
    found = [canonical(taken, shown)]
    found += [answers(backend, "raspberry-pi-4", taken, shown) for backend in ("onnxruntime", "tflite")]
    scale = STEP if not style.symmetric else max(3.5, 255 * STEP - 3.5) / 127
    for scores in found:
        steps = np.rint((scores - expected) / scale)
        assert np.abs(steps).max() <= 1
        assert (steps == 0).mean() >= 0.98


@settings(max_examples=60, derandomize=True)
@given(
    st.sampled_from([0.0, 103.94, 116.78, 123.675, 127.5, 128.0]),
    st.sampled_from([1.0, 57.375, 58.395, 127.5, 128.0, 255.0]),
    st.floats(0.2, 3.0),
    st.sampled_from(["rgb", "bgr"]),
)
def test_every_byte_becomes_the_number_it_becomes_in_the_users_graph(
    mean: float, std: float, steps: float, color: str
) -> None:
    """All 256, ties included, before the first convolution of the canonical form."""
    style = Style(mean=mean, std=std, input_scale=1 / (std * steps), color=color)
    given_model = network(style)
    picture = np.arange(144 * 3, dtype=np.uint32).astype(np.uint8).reshape(1, 12, 12, 3)
    node = next(node for node in given_model.proto.graph.node if node.op_type == "QuantizeLinear")
    feed = Reference(given_model.proto, given_model.preprocessing, given_model.task).feed(picture)
    user = Evaluator(given_model.proto, [node.output[0]], optimize=False).run(feed)[node.output[0]]
    user = user.astype(int) - _zero(given_model, node.input[2])
    user = user[:, ::-1] if color == "bgr" else user
    taken = Graph(take_given(given_model).proto)
    conv = next(node for node in taken.nodes if node.op_type == "Conv")
    real = Evaluator(taken.proto(), [conv.input[0]], optimize=False).run(picture)[conv.input[0]]
    np.testing.assert_array_equal(real, user)  # on a scale of 1


def _zero(model: Model, name: str) -> int:
    return int(next(numpy_helper.to_array(i) for i in model.proto.graph.initializer if i.name == name))


def test_what_is_taken_is_marked_and_stays_what_it_is() -> None:
    given_model = network(Style())
    before = given_model.proto.SerializeToString(deterministic=True)
    taken = take_given(given_model)
    assert (taken.precision, taken.kept_scales) == ("int8", True)
    assert given_model.proto.SerializeToString(deterministic=True) == before
    again = take_given(replace(given_model))
    assert again.proto.SerializeToString(deterministic=True) == taken.proto.SerializeToString(
        deterministic=True
    )


def test_constants_may_be_nodes_and_zero_points_cast() -> None:
    """As torch.onnx writes them: Constant nodes, and a zero point that is an int64 cast to uint8."""
    given_model = network(Style(fake=True))
    proto = onnx.ModelProto()
    proto.CopyFrom(given_model.proto)
    made = []
    for item in proto.graph.initializer:
        value = numpy_helper.to_array(item)
        if value.dtype == np.uint8:
            wide = numpy_helper.from_array(value.astype(np.int64), f"{item.name}/wide")
            made.append(helper.make_node("Constant", [], [wide.name], value=wide))
            made.append(helper.make_node("Cast", [wide.name], [item.name], to=TensorProto.UINT8))
        else:
            made.append(helper.make_node("Constant", [], [item.name], value=item))
    proto.graph.ClearField("initializer")
    nodes = [*made, *proto.graph.node]
    proto.graph.ClearField("node")
    proto.graph.node.extend(nodes)
    onnx.checker.check_model(proto, full_check=True)
    shown = pictures(3)
    found = canonical(take_given(given_model.with_proto(proto)), shown)
    np.testing.assert_array_equal(found, canonical(take_given(given_model), shown))


def test_shared_weights_and_scales_stay_shared_in_meaning() -> None:
    """Two convolutions that read one DequantizeLinear of a kernel, the first of them the pixels."""
    style = Style(mean=0, std=255, input_scale=1 / 255)
    net = Quantized(style)
    top = net.pair("input", style.input_scale, 0.0)
    kernel, _ = net.kernel((3, 3, 1, 1), 0, 1.0)
    one = net.pair(net.node("Conv", top, kernel), 0.0113, -1.5)
    two = net.pair(net.node("Conv", one, kernel), 0.0127, -1.5)
    pooled = net.pair(net.node("GlobalAveragePool", two), 0.0059, -0.75)
    net.node("Flatten", pooled)
    net.nodes[-1].output[0] = "scores"
    given_model, shown = finished(net, style, [1, 3, SIDE, SIDE], 3), pictures(8)
    taken, expected = take_given(given_model), simulated(given_model, shown)
    np.testing.assert_allclose(canonical(taken, shown), expected, atol=1e-6)
    for backend in ("onnxruntime", "tflite"):
        steps = np.rint((answers(backend, "raspberry-pi-4", taken, shown) - expected) / 0.0059)
        assert np.abs(steps).max() <= 1
