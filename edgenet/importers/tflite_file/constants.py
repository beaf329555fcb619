"""What a file computes from constants and shapes alone is computed here: half-precision weights, shapes of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.operators.slices import strided
from edgenet.importers.tflite_file.scope import Scope

__all__ = ["fold"]

SMALL = 1 << 16  # numbers of what is computed; weights are only turned back to float
Arrays = Sequence[NDArray[Any]]


def fold(scope: Scope, op: Operator) -> bool:
    """Note the numbers of an operator's result where they do not depend on the picture.

    Returns:
        Whether they do not.
    """
    if op.code == "SHAPE":
        scope.values[op.outputs[0]] = np.array(scope.shape(op.inputs[0]), np.int64)
        return True
    if any(index >= 0 and index not in scope.values for index in op.inputs) or not op.inputs:
        return False
    if op.code == "DEQUANTIZE":
        scope.values[op.outputs[0]] = scope.floats(op.inputs[0])
        return True
    whole = any(scope.whole(index) is not None for index in (*op.inputs, *op.outputs) if index >= 0)
    read = [scope.values[index] for index in op.inputs if index >= 0]
    if op.code not in FOLDED or whole or len(op.outputs) > 1 or sum(item.size for item in read) > SMALL:
        return False
    try:
        made = np.asarray(FOLDED[op.code](scope, op, read))
    except (ArithmeticError, IndexError, TypeError, ValueError) as error:
        raise scope.damaged(op, f"its constants do not fit ({type(error).__name__})") from None
    if made.size > SMALL:
        raise scope.damaged(op, f"{made.size} numbers from constants")
    scope.values[op.outputs[0]] = made
    return True


def _binary(function: Callable[..., Any]) -> Callable[[Scope, Operator, Arrays], Any]:
    def compute(scope: Scope, op: Operator, read: Arrays) -> Any:
        if op.options.get("FusedActivationFunction", 0):
            raise ValueError("an activation")
        with np.errstate(all="ignore"):
            return function(*read)

    return compute


def _pack(scope: Scope, op: Operator, read: Arrays) -> Any:
    return np.stack(read, int(op.options.get("Axis", 0)))


def _concatenate(scope: Scope, op: Operator, read: Arrays) -> Any:
    return np.concatenate(read, int(op.options.get("Axis", 0)))


def _gather(scope: Scope, op: Operator, read: Arrays) -> Any:
    return np.take(read[0], read[1].astype(np.int64), int(op.options.get("Axis", 0)))


def _slice(scope: Scope, op: Operator, read: Arrays) -> Any:
    cuts = [slice(int(at), None if size == -1 else int(at + size)) for at, size in zip(*read[1:3], strict=True)]
    return read[0][tuple(cuts)]


def _strided(scope: Scope, op: Operator, read: Arrays) -> Any:
    found = strided(scope, op, read[0].shape)
    for axis, (begin, end, step) in enumerate(found.bounds):
        read = [np.take(read[0], np.arange(begin, end, step), axis)]
    return read[0].reshape([side for axis, side in enumerate(read[0].shape) if axis not in found.dropped])


def _cast(scope: Scope, op: Operator, read: Arrays) -> Any:
    kinds = {"FLOAT32": np.float32, "INT32": np.int32, "INT64": np.int64}
    kind = kinds[scope.tensor(op.outputs[0]).kind] if scope.tensor(op.outputs[0]).kind in kinds else None
    if kind is None:
        raise ValueError("another type")
    with np.errstate(all="ignore"):
        return read[0].astype(kind)


def _reshape(scope: Scope, op: Operator, read: Arrays) -> Any:
    if op.code == "EXPAND_DIMS":
        return np.expand_dims(read[0], int(read[1].reshape(-1)[0]))
    if op.code == "SQUEEZE":
        axes = tuple(op.options.get("SqueezeDims", [])) or None
        return np.squeeze(read[0], axes)
    wanted = read[1] if len(read) > 1 else op.options.get("NewShape", [])
    return read[0].reshape([int(side) for side in np.ravel(wanted)])


def _product(scope: Scope, op: Operator, read: Arrays) -> Any:
    axes = tuple(int(axis) for axis in np.ravel(read[1]))
    return np.prod(read[0], axes, keepdims=bool(op.options.get("KeepDims", False)), dtype=read[0].dtype)


def _fill(scope: Scope, op: Operator, read: Arrays) -> Any:
    sides = [int(side) for side in np.ravel(read[0])]
    if math.prod(sides) > SMALL or min(sides, default=1) < 0:
        raise ValueError("too many")
    return np.full(sides, read[1].reshape(-1)[0])


def _transpose(scope: Scope, op: Operator, read: Arrays) -> Any:
    return read[0].transpose([int(axis) for axis in np.ravel(read[1])])


def _range(scope: Scope, op: Operator, read: Arrays) -> Any:
    begin, end, step = (item.reshape(-1)[0].item() for item in read)
    if (end - begin) / step > SMALL:
        raise ValueError("too many")
    return np.arange(begin, end, step, read[0].dtype)


FOLDED: Mapping[str, Callable[[Scope, Operator, Arrays], Any]] = {
    "ADD": _binary(np.add),
    "CAST": _cast,
    "CONCATENATION": _concatenate,
    "DIV": _binary(np.divide),
    "EXPAND_DIMS": _reshape,
    "FILL": _fill,
    "FLOOR_DIV": _binary(np.floor_divide),
    "GATHER": _gather,
    "MAXIMUM": _binary(np.maximum),
    "MINIMUM": _binary(np.minimum),
    "MUL": _binary(np.multiply),
    "PACK": _pack,
    "RANGE": _range,
    "REDUCE_PROD": _product,
    "RESHAPE": _reshape,
    "RSQRT": _binary(lambda value: 1 / np.sqrt(value)),
    "SLICE": _slice,
    "SQUEEZE": _reshape,
    "STRIDED_SLICE": _strided,
    "SUB": _binary(np.subtract),
    "TRANSPOSE": _transpose,
}
