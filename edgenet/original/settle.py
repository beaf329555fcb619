"""The steps that every ONNX file goes through when it is read, in their order."""

from __future__ import annotations

from pathlib import Path

import onnx

from edgenet.errors import ModelError
from edgenet.original.ending import without_rounding
from edgenet.original.gray import with_color_input
from edgenet.original.numbers import drop_casts, in_float32, with_float_input
from edgenet.original.opset import at_known_opset
from edgenet.original.quantized_input import with_quantized_picture
from edgenet.original.shapes import drop_unused_inputs, inferred, settle_input, settle_output
from edgenet.preprocessing import GRAY, Preprocessing

__all__ = ["settled"]

PIXEL = 3  # axes of one element in a constant by channel, [1, 1, 1, 3]


def settled(proto: onnx.ModelProto, preprocessing: Preprocessing, path: Path) -> onnx.ModelProto:
    """A model that computes what the user's does, in the form that :class:`edgenet.model.Model` promises.

    Operator set 11 to 23, one input of float32, batch 1, three channels and known size, float32 throughout,
    and [1, values] wherever the output is a row of numbers. Of the answers only what rounding in half or
    double precision makes of them is another.

    Args:
        proto: A valid model, changed in place.
        preprocessing: The card's.
        path: For messages.

    Raises:
        ModelError: It cannot be brought to that form; says what to do.
    """
    proto = at_known_opset(proto, path)
    drop_unused_inputs(proto)
    _check_inputs(proto, path)
    in_float32(proto)
    if not with_quantized_picture(proto):
        with_float_input(proto, preprocessing, path)
    if len(proto.graph.output) == 1:
        without_rounding(proto)
    settle_input(proto, preprocessing.size, 1 if preprocessing.color == GRAY else 3, path)
    if preprocessing.color == GRAY:
        with_color_input(proto, path)
    proto = inferred(proto, path)
    if drop_casts(proto):
        proto = inferred(proto, path)
    if len(proto.graph.output) == 1:
        settle_output(proto)
    return proto


def _check_inputs(proto: onnx.ModelProto, path: Path) -> None:
    """One input, the picture.

    Keras's exporter gives the constants of a layer as inputs where it does not know them for constants.
    """
    inputs = list(proto.graph.input)
    if not inputs:
        raise ModelError(f"{path}: no input", "export the model with its image input")
    if len(inputs) == 1:
        return
    pictures = [item for item in inputs if _sides(item).count(1) < PIXEL]
    other = next(item for item in inputs if item is not (pictures or inputs)[0])
    reader = next(node for node in proto.graph.node if other.name in node.input)
    what = (
        f"{path}: {len(inputs)} inputs, one was expected; {reader.op_type} {reader.name!r} reads "
        f"{other.name!r}"
    )
    if _sides(other).count(1) == PIXEL:
        raise ModelError(
            f"{what}, a constant that the exporter lost",
            "leave that layer out of the export, and write its mean and std in the card",
        )
    raise ModelError(what, "export the image input only")


def _sides(value: onnx.ValueInfoProto) -> list[int]:
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]
