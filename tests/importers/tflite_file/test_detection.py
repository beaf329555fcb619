"""TFLite_Detection_PostProcess is cut off, and completes the card; LiteRT's own is the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import flexbuffers
from onnx.reference import ReferenceEvaluator

from edgenet.agent.detection.detector import Detector
from edgenet.errors import ModelError
from edgenet.importers.tflite_file.flexbuffer import numbers
from edgenet.model import Model
from tests.importers.tflite_file.nets import Net, imported

CARD = """
task = "detection"
classes = ["cat", "dog"]
[preprocessing]
size = [9, 8]
color = "rgb"
resize = "stretch"
interpolation = "bilinear"
mean = [0, 0, 0]
std = [1, 1, 1]
[detection]
"""
PICTURE = (1, 9, 8, 3)
CELLS, COLUMNS, BOX = 9 * 8, 3, 4
OPTIONS = {
    "max_detections": 12, "max_classes_per_detection": 1, "num_classes": 2, "nms_score_threshold": 0.3,
    "nms_iou_threshold": 0.45, "use_regular_nms": True, "detections_per_class": 100,
    "y_scale": 10.0, "x_scale": 8.0, "h_scale": 5.0, "w_scale": 4.0,
}  # fmt: skip


def anchors() -> np.ndarray:
    """float32 [72, 4] of y, x, height, width."""
    rows, columns = np.meshgrid(np.arange(9), np.arange(8), indexing="ij")
    made = np.stack([(rows + 0.5) / 9, (columns + 0.5) / 8, 0.2 + 0 * rows, 0.3 + 0.01 * columns], axis=-1)
    return made.reshape(-1, BOX).astype(np.float32)


def detector(options: dict[str, Any] | bytes = OPTIONS) -> bytes:
    """A file that picks its boxes itself."""
    net = Net(PICTURE)
    heads = []
    for channels, spread in ((BOX, 0.6), (COLUMNS, 0.9)):
        parts = [net.picture, net.normal(channels, 1, 1, 3, spread=spread), net.normal(channels)]
        made = net.op("CONV_2D", parts, (1, 9, 8, channels), ("Conv2DOptions", {"strideH": 1, "strideW": 1}))
        sides = net.whole(1, CELLS, channels)
        heads.append(net.op("RESHAPE", [made, sides], (1, CELLS, channels), ("ReshapeOptions", {})))
    heads[1] = net.op("LOGISTIC", [heads[1]], (1, CELLS, COLUMNS))
    grid = net.constant(anchors())
    return picked(net.to_bytes(*heads), heads, grid, options)


def picked(data: bytes, heads: list[int], grid: int, options: dict[str, Any] | bytes) -> bytes:
    """The file with the operator behind its heads."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    graph = model.subgraphs[0]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = 32
    code.customCode, code.version = b"TFLite_Detection_PostProcess", 1
    model.operatorCodes.append(code)
    given = []
    for name in ("boxes", "classes", "scores", "count"):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), [], 0, 0
        graph.tensors.append(tensor)
        given.append(len(graph.tensors) - 1)
    op = schema.OperatorT()
    op.opcodeIndex, op.inputs, op.outputs = len(model.operatorCodes) - 1, [*heads, grid], given
    told = options if isinstance(options, bytes) else bytes(flexbuffers.Dumps(options))
    op.customOptions = np.frombuffer(told, np.uint8)
    graph.operators.append(op)
    graph.outputs = given
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def loaded(data: bytes, folder: Path, more: str = "") -> Model:
    path = folder / "net.tflite"
    path.write_bytes(data)
    path.with_suffix(".toml").write_text(CARD + more)
    return Model.load(path)


def test_five_lines_of_a_card_find_the_boxes_that_the_operator_finds(tmp_path: Path) -> None:
    data = detector()
    model = loaded(data, tmp_path)
    picture = np.random.default_rng(5).normal(0, 1.5, PICTURE).astype(np.float32)
    interpreter = Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
    interpreter.invoke()
    boxes, classes, scores, count = (
        interpreter.get_tensor(o["index"]) for o in interpreter.get_output_details()
    )
    row = ReferenceEvaluator(model.proto).run(None, {"picture": picture.transpose(0, 3, 1, 2)})[0]
    found = Detector(model.settings["detection"], {"meaning": model.output}).all(row[0])
    assert 2 < int(count[0]) == len(found.scores)
    np.testing.assert_allclose(found.scores, scores[0, : len(found.scores)], atol=1e-6)
    np.testing.assert_array_equal(found.classes, classes[0, : len(found.scores)])
    np.testing.assert_allclose(found.boxes[:, [1, 0, 3, 2]], boxes[0, : len(found.scores)], atol=1e-5)


def test_what_the_card_says_goes_before_what_the_operator_was_told(tmp_path: Path) -> None:
    own = loaded(detector(), tmp_path, "nms_threshold = 0.7\n").settings["detection"]
    assert (own["nms_threshold"], own["score_threshold"], own["max_detections"]) == (0.7, 0.3, 12)
    assert own["variances"] == [0.1, 0.125, 0.2, 0.25]
    assert own["background"] == 0


def test_without_such_a_card_it_is_called_a_detector(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(detector())
    path.with_suffix(".toml").write_text(CARD.replace('"detection"', '"classification"').partition("[det")[0])
    with pytest.raises(ModelError, match='picks boxes: this is a detector.*task = "detection"'):
        Model.load(path)


def test_options_are_read_as_the_library_writes_them() -> None:
    told = {"a": 1, "b": -300, "c": 70_000, "d": 0.5, "e": 1e-9, "f": True, "text": "no number"}
    assert numbers(bytes(flexbuffers.Dumps(told))) == {key: told[key] for key in "abcdef"}


def test_damaged_options_are_refused() -> None:
    whole = bytes(flexbuffers.Dumps(OPTIONS))
    imported(detector(whole))
    for end in range(0, len(whole), 7):
        with pytest.raises(ModelError, match="damaged .*in its options"):
            imported(detector(b"\0" + whole[:end] + b"\xff\xff"))


@pytest.mark.parametrize("at", range(0, 120, 3))
def test_any_byte_of_the_options_may_be_another(at: int) -> None:
    whole = bytearray(flexbuffers.Dumps(OPTIONS))
    whole[at % len(whole)] ^= 0x5A
    try:
        found = numbers(bytes(whole))
    except ValueError:
        return
    assert all(isinstance(value, int | float) for value in found.values())
