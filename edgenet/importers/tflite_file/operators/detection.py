"""TFLite_Detection_PostProcess: kept as it is, for what reads a detector's card to cut before it.

Source: tensorflow/lite/kernels/detection_postprocess.cc, which reads boxes [1, N, 4], scores [1, N, C] and
anchors [N, 4], all real or dequantized, and gives boxes, classes, scores and their count.
"""

from __future__ import annotations

import math
from typing import Any

from onnx import helper

from edgenet.importers.tflite_file.flexbuffer import numbers
from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.scope import Scope

__all__ = ["DOMAIN", "POSTPROCESS", "write_postprocess"]

POSTPROCESS = "TFLite_Detection_PostProcess"
DOMAIN = "tflite"
BOX = 4
MOST = 1 << 16


def write_postprocess(scope: Scope, op: Operator) -> None:
    """The operator as a node of its own domain, its options as attributes."""
    if len(op.inputs) != 3 or min(op.inputs) < 0 or len(op.outputs) != 4:
        raise scope.damaged(op, f"it reads {len(op.inputs)} tensors and gives {len(op.outputs)}")
    boxes, scores = (scope.shape(index) for index in op.inputs[:2])
    anchors = scope.number(op, 2)
    if len(boxes) != 3 or len(scores) != 3 or boxes[1] != scores[1] or anchors.shape != (boxes[1], BOX):
        raise scope.damaged(op, f"boxes {list(boxes)}, scores {list(scores)}, anchors {list(anchors.shape)}")
    try:
        options = numbers(op.options.get("CustomOptions", b""))
    except ValueError as error:
        raise scope.damaged(op, f"{error} in its options") from None
    found: dict[str, Any] = {
        key: float(value) for key, value in options.items() if math.isfinite(value) and key.isidentifier()
    }
    count = int(min(max(found.get("max_detections", 1.0), 1.0), MOST))
    inputs = [scope.real(index) for index in op.inputs[:2]]
    inputs.append(scope.constant(scope.tensor(op.inputs[2]).name, scope.floats(op.inputs[2])))
    if DOMAIN not in [item.domain for item in scope.model.opset_import]:
        scope.model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    names = [scope.fresh(scope.result(op, at)) for at in range(len(op.outputs))]
    scope.nodes.append(helper.make_node(POSTPROCESS, inputs, names, name=names[0], domain=DOMAIN, **found))
    for name, index, shape in zip(
        names, op.outputs, ((1, count, BOX), (1, count), (1, count), (1,)), strict=True
    ):
        scope.enter(scope.tensor(index), shape, name)
