"""The row of a detector ends in its heads, and all that follows takes them: int8, files, answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, shape_inference

from edgenet.backend import load_backend
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.heads import split_heads
from edgenet.graph.qdq.onnxruntime import int8_outputs
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.target import Target
from edgenet.verify.artifact import verify_artifact
from edgenet.verify.host import run_artifact
from tests.backends.tflite_graphs import Net, images

CLASSES, CELL = 3, 2  # score columns; anchors a cell
MAPS = (8, 4)


def detector(activation: str = "Softmax", nchw: bool = False) -> Model:
    """Two maps, of each a head of scores and one of boxes, joined to the row of a detector."""
    net = Net(32, 32)
    first = net.conv(
        net.conv(net.top, 3, 8, strides=[2, 2], pads=[1, 1, 1, 1]), 8, 16, strides=[2, 2], pads=[1] * 4
    )
    second = net.conv(first, 16, 24, strides=[2, 2], pads=[1] * 4)
    scores, boxes = [], []
    for top, channels in ((first, 16), (second, 24)):
        for found, width in ((scores, CLASSES), (boxes, 4)):
            head = net.conv(top, channels, CELL * width, 1, None, gain=1.0 + len(found) + width)
            moved = head if nchw else net.node("Transpose", head, perm=[0, 2, 3, 1])
            found.append(net.node("Reshape", moved, net.constant(np.array([1, -1, width], np.int64))))
    joined = net.node("Concat", *scores, axis=1)
    if activation:
        joined = net.node(activation, joined, **({"axis": 2} if activation == "Softmax" else {}))
    parts = [joined, net.node("Concat", *boxes, axis=1)]
    flat = [net.node("Reshape", part, net.constant(np.array([1, -1], np.int64))) for part in parts]
    net.node("Concat", *flat, axis=1)
    anchors = CELL * sum(side * side for side in MAPS)
    return net.model(anchors * (CLASSES + 4))


def split(model: Model) -> tuple[Model, int]:
    graph = Graph(model.proto)
    taken = split_heads(graph)
    return model.with_proto(graph.proto()), taken


@pytest.mark.parametrize("activation", ["", "Sigmoid", "Softmax"])
def test_a_row_ends_in_its_heads(activation: str) -> None:
    model = detector(activation)
    made, taken = split(model)
    assert taken == bool(activation)
    sizes = [CELL * side * side * width for width in (CLASSES, 4) for side in MAPS]
    assert made.heads == tuple(sizes)
    assert made.classes == model.classes
    for pixels in images(model, 2):
        wanted, got = Evaluator(model.proto).row(pixels), Evaluator(made.proto).row(pixels)
        border = sum(sizes[:2])
        assert np.allclose(got[border:], wanted[border:], atol=1e-5)
        scores = got[:border].astype(np.float64).reshape(-1, CLASSES)
        if activation == "Softmax":
            scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        elif activation:
            scores = 1 / (1 + np.exp(-scores))
        assert np.allclose(scores.reshape(-1), wanted[:border], atol=1e-5)


def test_what_is_moved_otherwise_stays() -> None:
    """NCHW numbers in a row follow one another in another order than those of a file with channels last."""
    model = detector(nchw=True)
    made, taken = split(model)
    assert not taken
    assert made.heads == (model.classes,)


def test_a_classifier_has_one_head() -> None:
    net = Net(16, 16)
    net.classify(net.conv(net.top, 3, 8), 8)
    model = net.model()
    assert split(model)[0].heads == (10,)


@pytest.fixture(scope="module")
def int8() -> Model:
    made, _ = split(detector())
    return quantize(made, Recipe("t", "", "min-max", "per-channel", 0, 0.0), images(made, 4, seed=9))[0]


@pytest.mark.parametrize("backend", ["onnxruntime", "tflite"])
def test_each_head_has_its_own_scale(int8: Model, backend: str, tmp_path: Path) -> None:
    writer = load_backend(backend)
    artifact = writer.lower(int8, Target.load("local"))
    parts = artifact.output.parts
    assert parts is not None
    assert [item.values for item in parts] == list(int8.heads)
    assert len({item.scale for item in parts}) == len(parts)
    shown = images(int8, 3)
    raw = run_artifact(backend, artifact.file, artifact.data, [item[0] for item in shown])
    assert raw.dtype == np.int8
    truth = np.stack([Evaluator(int8.proto, optimize=False).row(item) for item in shown])
    assert (np.abs(artifact.output.values(raw) - truth) <= artifact.output.step * 1.01).all()
    assert verify_artifact(backend, artifact, int8, np.concatenate(shown), raw) > 0


def test_backends_agree(int8: Model) -> None:
    found = []
    for backend in ("onnxruntime", "tflite"):
        artifact = load_backend(backend).lower(int8, Target.load("local"))
        found.append(
            run_artifact(backend, artifact.file, artifact.data, [item[0] for item in images(int8, 3)])
        )
    assert np.abs(found[0].astype(int) - found[1].astype(int)).max() <= 1


@pytest.mark.parametrize("backend", ["onnxruntime", "tflite", "tensorrt"])
def test_float_heads(backend: str) -> None:
    made, _ = split(detector("Sigmoid"))
    artifact = load_backend(backend).lower(
        made, Target.load("jetson-orin-nano" if backend == "tensorrt" else "local")
    )
    shown = images(made, 2)
    raw = run_artifact(backend, artifact.file, artifact.data, [item[0] for item in shown])
    assert raw.dtype == np.float32
    assert np.allclose(raw, [Evaluator(made.proto).row(item) for item in shown], atol=1e-4)
    assert [item.scale for item in artifact.output.parts or ()] == [None] * 4


def test_one_float_head_makes_all_float() -> None:
    """Answers are of one type: where a head is left in float, the others are dequantized."""
    made, _ = split(detector())
    graph = Graph(made.proto)
    first = graph.producer(next(iter(graph.outputs)))
    while first is not None and first.op_type != "Conv":
        first = graph.producer(first.input[0])
    assert first is not None
    recipe = replace(Recipe.load("int8-fast"), float_layers=(first.name or first.output[0],))
    mixed = quantize(made, recipe, images(made, 4, seed=9))[0]
    assert int8_outputs(Graph(mixed.proto)) is None
    for backend in ("onnxruntime", "tflite"):
        artifact = load_backend(backend).lower(mixed, Target.load("local"))
        assert artifact.output.dtype == "float32"
        shown = images(made, 2)
        raw = run_artifact(backend, artifact.file, artifact.data, [item[0] for item in shown])
        assert raw.dtype == np.float32
        truth = np.stack([Evaluator(mixed.proto, optimize=False).row(item) for item in shown])
        assert np.allclose(raw, truth, atol=0.05 * np.ptp(truth))


def test_names_of_outputs_count_on() -> None:
    """TensorRT gives outputs in an order of its own; the agent sorts them by these."""
    made, _ = split(detector())
    assert [item.name for item in made.proto.graph.output] == ["head0", "head1", "head2", "head3"]
    assert all(item.type.tensor_type.elem_type == TensorProto.FLOAT for item in made.proto.graph.output)


def test_two_heads_of_one_tensor_stay_joined() -> None:
    """A row in which a tensor stands twice has no heads of its own."""
    pixels = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 12])
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Neg", ["x"], ["b"]),
        helper.make_node("Concat", ["a", "b", "a"], ["y"], axis=1),
    ]
    proto = helper.make_model(
        helper.make_graph(nodes, "g", [pixels], [out]),
        opset_imports=[helper.make_opsetid("", 14)],
        ir_version=8,
    )
    graph = Graph(shape_inference.infer_shapes(proto))
    assert split_heads(graph) == 0
    assert list(graph.outputs) == ["y"]
