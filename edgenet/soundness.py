"""What a graph itself says about a model that its file or card cannot be right about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from edgenet.errors import ModelError
from edgenet.preprocessing import Preprocessing
from edgenet.task import Task
from edgenet.text import cause

__all__ = ["check_domains", "check_ending", "check_inference", "check_tensors", "check_weights", "doubts"]

# Operators that move the values of the answer, or round them, and change none.
MOVES = (
    "Cast", "DequantizeLinear", "Flatten", "Identity", "QuantizeLinear", "Reshape", "Squeeze", "Transpose",
    "Unsqueeze",
)  # fmt: skip
MICROSOFT = "com.microsoft"
QUANTIZED = ("QLinear", "QGemm", "QuantizeLinear", "DequantizeLinear")
# Operators whose answer is another each time.
RANDOM = (
    "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
)  # fmt: skip
SCALING = ("Add", "Div", "Mul", "Sub")
# Below both, mean and std are those of pixels from 0 to 1.
SMALL_STD, SMALL_MEAN = 2.0, 1.0
# Inputs by position that may be infinite: bounds, which then are none.
BOUNDS = {"Clip": (1, 2), "Max": (0, 1), "Min": (0, 1), "Pad": (2,)}


def check_tensors(proto: onnx.ModelProto, path: Path | str) -> None:
    """Refuse a constant whose bytes are not those of its shape and type.

    Raises:
        ModelError: There is one; it is named.
    """
    given = (item.t for node in proto.graph.node for item in node.attribute if item.HasField("t"))
    for tensor in (*proto.graph.initializer, *given):
        try:
            onnx.numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(
                f"{path}: tensor {tensor.name!r} does not hold what its shape says ({cause(error)})",
                "export the model again",
            ) from None


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


def check_inference(proto: onnx.ModelProto, path: Path) -> None:
    """Refuse a model that was exported as it trains: it answers otherwise each time.

    Raises:
        ModelError: A node drops, normalizes by its batch or draws lots; it is named.
    """
    constants = {item.name: item for item in proto.graph.initializer}
    for node in proto.graph.node:
        name = repr(node.name or (node.output[0] if node.output else ""))
        if node.op_type in RANDOM:
            raise ModelError(
                f"{path}: {node.op_type} {name} draws random numbers, so no two answers are alike",
                "export the model for inference, without augmentation layers",
            )
        if _trains(node, constants):
            raise ModelError(
                f"{path}: {node.op_type} {name} is in training mode, so no two answers are alike",
                "call model.eval() before the export (torch), or export with training=False",
            )


def _trains(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> bool:
    """Whether a Dropout or BatchNormalization works as in training."""
    if node.op_type == "BatchNormalization":
        modes = [item.i for item in node.attribute if item.name == "training_mode"]
        return bool(modes and modes[0])
    if node.op_type != "Dropout" or len(node.input) < 3 or node.input[2] not in constants:
        return False
    return bool(onnx.numpy_helper.to_array(constants[node.input[2]]).any())


def check_domains(proto: onnx.ModelProto, path: Path) -> None:
    """Refuse what ONNX Runtime's optimizer wrote: other runtimes do not know its operators.

    Its quantized operators are taken with their scales (:mod:`edgenet.graph.given`).

    Raises:
        ModelError: There is one; it is named, with where it comes from.
    """
    for node in proto.graph.node:
        taken = node.domain == MICROSOFT and node.op_type.startswith(QUANTIZED)
        if node.domain.startswith(MICROSOFT) and not taken:
            name = f"{node.op_type} {(node.name or node.output[0])!r}"
            raise ModelError(
                f"{path}: {name} is of {node.domain}: the file was optimized for ONNX Runtime",
                "give the file from before that was done",
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


def doubts(proto: onnx.ModelProto, preprocessing: Preprocessing) -> tuple[str, ...]:
    """What of a card may be right and seldom is, one sentence each."""
    mean, std = preprocessing.mean, preprocessing.std
    if (mean, std) == ((0.0,) * 3, (1.0,) * 3):
        return ()
    found = []
    if max(std) < SMALL_STD and max(map(abs, mean)) <= SMALL_MEAN:
        found.append(
            f"mean {_numbers(mean)} and std {_numbers(std)} look as for pixels from 0 to 1, and here they "
            "are from 0 to 255: multiply both by 255"
        )
    if scaling := _scaling(proto):
        names = " and ".join(f"{node.op_type} {(node.name or node.output[0])!r}" for node in scaling)
        found.append(
            f"the graph scales its input itself ({names}), and the card does it too: if the former is its "
            "normalization, write mean = [0, 0, 0] and std = [1, 1, 1]"
        )
    return tuple(found)


def _scaling(proto: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The operators that scale and shift the input by constants before anything else reads it."""
    constants = {item.name for item in proto.graph.initializer}
    constants |= {node.output[0] for node in proto.graph.node if node.op_type == "Constant"}
    names = {item.name for item in proto.graph.input} - constants
    found = []
    for node in proto.graph.node:  # in the order of computing
        if names.isdisjoint(node.input) or node.op_type not in (*MOVES, *SCALING):
            continue
        others = [name for name in node.input if name not in names]
        if all(name in constants for name in others):
            names.update(node.output)
            found += [node] if node.op_type in SCALING else []
    return found


def _numbers(values: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"


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
