"""What a graph is made of: local functions are written out, and what is no ONNX is refused by its layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import onnx
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onnx import AttributeProto, NodeProto
from onnx.defs import onnx_opset_version
from onnx.inliner import inline_local_functions

from edgenet.errors import ModelError
from edgenet.pages import page

__all__ = ["check_operators", "check_texts", "is_known", "picks_boxes", "with_functions_inlined"]

ONNX = ("", "ai.onnx")
# Operators of ONNX Runtime's own domains are judged in edgenet/soundness.py: some are taken.
RUNTIME = "com.microsoft"
BOXES = ("NonMaxSuppression", "Detection_PostProcess", "NMS_TRT")
DETECTOR = 'write task = "detection" in its card (' + page("detection") + "): edgenet init writes one"
AUGMENTATIONS = ("Random", "ImageProjectiveTransform", "AdjustContrast", "AdjustHue", "AdjustSaturation")


def with_functions_inlined(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model without local functions, as which some exporters write whole layers."""
    return inline_local_functions(proto) if proto.functions else proto


def check_texts(proto: onnx.ModelProto, where: str) -> None:
    """Refuse texts that are no UTF-8, which protobuf gives as bytes and does not copy.

    Raises:
        ModelError: There is one.
    """
    waiting: list[Message] = [proto]
    while waiting:
        for field, value in waiting.pop().ListFields():
            several = value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else [value]
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                waiting += several
            elif field.type == FieldDescriptor.TYPE_STRING and not all(isinstance(x, str) for x in several):
                raise ModelError(
                    f"{where}: not an ONNX file, or a damaged one ({field.name} is no text)",
                    "export the model to ONNX again",
                )


def picks_boxes(proto: onnx.ModelProto) -> bool:
    """Whether a graph, or one within it, chooses among boxes: what does so is cut off (detection)."""
    waiting = [proto.graph]
    while waiting:
        for node in waiting.pop().node:
            if any(word in node.op_type for word in BOXES):
                return True
            waiting += [item.g for item in node.attribute if item.type == AttributeProto.GRAPH]
    return False


def check_operators(proto: onnx.ModelProto, path: Path) -> None:
    """Refuse what no ONNX runtime knows, before its checker speaks of schemas, and what is no fixed network.

    Raises:
        ModelError: A node's operator is not ONNX's, holds graphs of its own, or picks boxes; it is named with
            its layer.
    """
    for node in proto.graph.node:
        name = node.name or (node.output[0] if node.output else "")
        what, layer = f"{path}: {node.op_type} {name!r}", _layer(name)
        if any(word in node.op_type for word in BOXES):
            raise ModelError(f"{what} picks boxes: this is a detector", DETECTOR)
        if any(item.type == AttributeProto.GRAPH for item in node.attribute):
            raise ModelError(
                f"{what} decides while it runs what is computed, and artifacts are fixed",
                "export the model without dynamic shapes (torch.onnx.export with dynamo=True)",
            )
        if is_known(node) or node.domain.startswith(RUNTIME):
            continue
        if any(word in node.op_type for word in AUGMENTATIONS):
            raise ModelError(
                f"{what} changes pictures at random, which is for training",
                f"export the model without its augmentation layers ({layer})",
            )
        why = "is no operator of ONNX: the exporter could not translate it"
        if node.domain not in ONNX:
            why = f"is an operator of the domain {node.domain!r}, which no board has"
        raise ModelError(f"{what} {why}", f"export the model without the layer {layer}")


def is_known(node: NodeProto) -> bool:
    """Whether it is one of ONNX's own operators."""
    return node.domain in ONNX and onnx.defs.has(node.op_type, onnx_opset_version())


def _layer(name: str) -> str:
    """The user's word in a scoped name: Keras's ``model/random_flip/…``, torch's ``/stem/drop/…``."""
    parts = [part for part in name.split("/") if part]
    return repr(parts[1] if len(parts) > 2 else parts[0] if parts else name)
