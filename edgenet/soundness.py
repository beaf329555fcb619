"""What a graph itself says about a model that its file or card cannot be right about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from edgenet.errors import ModelError
from edgenet.task import Task

__all__ = ["check_ending", "check_weights"]

# Operators that move the values of the answer, or round them, and change none.
MOVES = (
    "Cast", "DequantizeLinear", "Flatten", "Identity", "QuantizeLinear", "Reshape", "Squeeze", "Transpose",
    "Unsqueeze",
)  # fmt: skip
# Inputs by position that may be infinite: bounds, which then are none.
BOUNDS = {"Clip": (1, 2), "Max": (0, 1), "Min": (0, 1), "Pad": (2,)}


def check_weights(proto: onnx.ModelProto, path: Path) -> None:
    """Refuse a model with a number in it that is none: every answer would be one too.

    Raises:
        ModelError: A tensor holds NaN, or infinity where it is no bound; it is named.
    """
    bounds = {
        node.input[index]
        for node in proto.graph.node
        for index in BOUNDS.get(node.op_type, ())
        if index < len(node.input)
    }
    for name, values in _floats(proto):
        wrong = np.isnan(values) if name in bounds else ~np.isfinite(values)
        if count := int(np.count_nonzero(wrong)):
            raise ModelError(
                f"{path}: tensor {name!r} has NaN or infinity in {count} of {values.size} values",
                "export a checkpoint from before the training diverged",
            )


def check_ending(proto: onnx.ModelProto, task: Task, path: Path) -> None:
    """Refuse a card that says something else of the output than the graph's last operator does.

    Raises:
        ModelError: They contradict each other; the remedy is the line to write, where there is one.
    """
    makers = {name: node for node in proto.graph.node for name in node.output}
    node = makers.get(proto.graph.output[0].name)
    while node is not None and node.op_type in MOVES:
        node = makers.get(node.input[0])
    if node is not None and (wrong := task.contradiction(node.op_type.removeprefix("QLinear"))):
        what, remedy = wrong
        raise ModelError(f"{path}: the graph ends in {node.op_type} {node.name!r}, {what}", remedy)


def _floats(proto: onnx.ModelProto) -> Iterator[tuple[str, NDArray[np.floating]]]:
    """Every constant of real numbers, by the name that people find in the graph."""
    kinds = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
    for item in proto.graph.initializer:
        if item.data_type in kinds:
            yield item.name, onnx.numpy_helper.to_array(item)
    for node in proto.graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.HasField("t") and attribute.t.data_type in kinds:
                yield node.output[0], onnx.numpy_helper.to_array(attribute.t)
