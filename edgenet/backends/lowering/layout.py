"""Operators that move numbers and compute nothing: entry, flattening, concatenation, padding."""

from __future__ import annotations

import math

import numpy as np
from onnx import NodeProto, TensorProto

from edgenet.backends.lowering.file import Tensor
from edgenet.backends.lowering.rescaling import emit_on_one_scale, on_scale
from edgenet.backends.lowering.scope import ELSEWHERE, Scope, nhwc
from edgenet.graph.graph import attributes
from edgenet.graph.passes.head import LABEL
from edgenet.graph.passes.heads import lays_out

__all__ = [
    "lower_cast",
    "lower_concat",
    "lower_identity",
    "lower_label",
    "lower_pad",
    "lower_reshape",
    "lower_slice",
    "lower_transpose",
]

TO_NCHW = [0, 3, 1, 2]


def lower_transpose(scope: Scope, node: NodeProto) -> None:
    """The pixels' NHWC → NCHW, and back in front of a Flatten: nothing to do, the file is NHWC throughout.

    Any other is refused.
    """
    perm = list(attributes(node).get("perm", ()))
    if not (node.input[0] == scope.graph.input and perm == TO_NCHW) and not _is_as_stored(scope, node):
        raise scope.refuse(node, f"perm {perm} inside the network", ELSEWHERE)
    scope.alias(node.output[0], scope.input(node, node.input[0]))


def lower_identity(scope: Scope, node: NodeProto) -> None:
    """Identity and Dropout: nothing to do."""
    scope.alias(node.output[0], scope.input(node, node.input[0]))


def lower_cast(scope: Scope, node: NodeProto) -> None:
    """The pixels' uint8 → float32: CAST. Any other is refused."""
    source = scope.input(node, node.input[0])
    if attributes(node)["to"] != TensorProto.FLOAT or scope.tensor(source).dtype != "uint8":
        raise scope.refuse(node, "only the pixels are cast, to float32", "export the network in float32")
    options = {"inDataType": "UINT8", "outDataType": "FLOAT32"}
    scope.emit("CAST", (source,), scope.output(node, node.output[0]), ("CastOptions", options))


def lower_reshape(scope: Scope, node: NodeProto) -> None:
    """Flatten, Reshape and Squeeze → RESHAPE, where NCHW and NHWC mean the same order of numbers."""
    shape = scope.graph.shape(node.output[0])
    before = scope.graph.producer(node.input[0])
    stored = before is not None and _is_as_stored(scope, before)
    for name in (node.output[0],) if stored else (node.input[0], node.output[0]):
        if not _order_is_one(scope.graph.shape(name)):
            raise scope.refuse(
                node,
                f"{scope.graph.shape(name)} is laid out differently in NHWC",
                ELSEWHERE,
            )
    source = scope.input(node, node.input[0])
    target = nhwc(shape)
    wanted = scope.constant(f"{node.output[0]}/shape", np.array(target, np.int32))
    options = ("ReshapeOptions", {"newShape": list(target)})
    emit_on_one_scale(scope, node, node.output[0], "RESHAPE", (source, wanted), options)


def lower_concat(scope: Scope, node: NodeProto) -> None:
    """Concat over channels → CONCATENATION; int8 inputs are brought to the output's scale first."""
    shape = scope.graph.shape(node.output[0])
    axis = int(attributes(node)["axis"]) % max(len(shape), 1)
    if axis != 1 or len(shape) not in (2, 4):
        raise scope.refuse(node, f"axis {axis} of a tensor of rank {len(shape)}", ELSEWHERE)
    out = scope.output(node, node.output[0])
    wanted = scope.tensor(out).quantization
    sources = [
        on_scale(scope, scope.input(node, name), wanted, f"{node.output[0]}/part{number}")
        for number, name in enumerate(node.input)
    ]
    options = {"axis": len(shape) - 1, "fusedActivationFunction": "NONE"}
    scope.emit("CONCATENATION", sources, out, ("ConcatenationOptions", options))


def lower_pad(scope: Scope, node: NodeProto) -> None:
    """Pad with zeros → PAD; int8 pads with the zero point, which is real zero too."""
    options = attributes(node)
    value = scope.weights(node, 2) if len(node.input) > 2 and node.input[2] else np.zeros(1, np.float32)
    shape = scope.graph.shape(node.input[0])
    if options.get("mode", b"constant") != b"constant" or np.any(value) or len(node.input) > 3:
        raise scope.refuse(node, "only constant zeros on all axes can be padded", ELSEWHERE)
    pads = scope.weights(node, 1).reshape(2, -1).T
    if len(pads) != len(shape) or pads.min() < 0:
        raise scope.refuse(node, "its pads are negative", ELSEWHERE)
    order = nhwc(range(len(shape)))
    amounts = scope.constant(f"{node.output[0]}/pads", np.ascontiguousarray(pads[list(order)], np.int32))
    source = scope.input(node, node.input[0])
    emit_on_one_scale(scope, node, node.output[0], "PAD", (source, amounts), ("PadOptions", {}))


def lower_slice(scope: Scope, node: NodeProto) -> None:
    """Slice with steps of 1 → SLICE: begin and size of every axis."""
    shape, made = scope.graph.shape(node.input[0]), scope.graph.shape(node.output[0])
    starts = scope.weights(node, 1).reshape(-1)
    axes = scope.weights(node, 3).reshape(-1) if len(node.input) > 3 and node.input[3] else range(len(starts))
    if len(node.input) > 4 and any(scope.weights(node, 4).reshape(-1) != 1):
        raise scope.refuse(node, "it steps over numbers or walks back", ELSEWHERE)
    begin = [0] * len(shape)
    for start, axis in zip(starts, axes, strict=True):
        side = shape[int(axis)]
        begin[int(axis)] = min(max(int(start) + side if start < 0 else int(start), 0), side)
    order = nhwc(range(len(shape)))
    parts = [
        scope.constant(f"{node.output[0]}/{name}", np.array([values[axis] for axis in order], np.int32))
        for name, values in (("begin", begin), ("size", list(made)))
    ]
    source = scope.input(node, node.input[0])
    emit_on_one_scale(scope, node, node.output[0], "SLICE", (source, *parts), ("SliceOptions", {}))


def lower_label(scope: Scope, scores: int) -> int:
    """The index of the largest of [1, classes] scores: ARG_MAX, int32 [1]; returns the new tensor."""
    axis = scope.constant(f"{LABEL}/axis", np.array([1], np.int32))
    label = scope.file.add(Tensor(LABEL, (1,), "int32"))
    version = 2 if scope.tensor(scores).dtype == "int8" else 1
    scope.emit("ARG_MAX", (scores, axis), label, ("ArgMaxOptions", {"outputType": "INT32"}), version)
    return label


def _is_as_stored(scope: Scope, node: NodeProto) -> bool:
    """Whether a node brings a map into the order of the file, in which it is flattened."""
    reader = scope.graph.sole_consumer(node.output[0])
    return lays_out(node) and reader is not None and reader.op_type == "Flatten"


def _order_is_one(shape: tuple[int, ...]) -> bool:
    """Whether the numbers of a tensor stand in the same order in the file as in the graph."""
    if len(shape) != 4:
        return len(shape) in (2, 3)
    return shape[1] == 1 or math.prod(shape[2:]) == 1
