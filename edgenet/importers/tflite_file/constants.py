"""What a file computes from constants and shapes alone: half-precision weights, shapes of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.operators.slices import strided
from edgenet.importers.tflite_file.scope import Scope

__all__ = ["fold"]

SMALL = 1 << 20  # numbers of what is computed; weights are only turned back to float
NUMBERS = {"FLOAT32": np.float32, "INT32": np.int32, "INT64": np.int64}


class _Call(NamedTuple):
    """An operator with the numbers that it reads."""

    scope: Scope
    op: Operator
    read: Sequence[NDArray[Any]]

    def option(self, name: str) -> Any:
        return self.op.options.get(name, 0)


def fold(scope: Scope, op: Operator) -> bool:
    """Note the numbers of an operator's result where they do not depend on the picture.

    Returns:
        Whether they do not.
    """
    if op.code == "SHAPE" and op.inputs and scope.is_known(op.inputs[0]):
        scope.values[op.outputs[0]] = np.array(scope.shape(op.inputs[0]), np.int64)
        return True
    if any(index >= 0 and index not in scope.values for index in op.inputs) or not op.inputs:
        return False
    if op.code == "DEQUANTIZE" and op.inputs[0] >= 0:
        scope.values[op.outputs[0]] = scope.floats(op.inputs[0])
        return True
    whole = any(scope.whole(index) is not None for index in (*op.inputs, *op.outputs) if index >= 0)
    known = MOVED if whole else FOLDED
    read = [
        scope.values[index] if scope.whole(index) is None else scope.floats(index)
        for index in op.inputs
        if index >= 0
    ]
    if op.code not in known or len(op.outputs) > 1 or sum(item.size for item in read) > SMALL:
        return False
    try:
        with np.errstate(all="ignore"):
            made = np.asarray(FOLDED[op.code](_Call(scope, op, read)))
    except (ArithmeticError, IndexError, TypeError, ValueError) as error:
        raise scope.damaged(op, f"its constants do not fit ({type(error).__name__})") from None
    if made.size > SMALL:
        raise scope.damaged(op, f"{made.size} numbers from constants")
    scope.values[op.outputs[0]] = _stored(scope, op.outputs[0], made)
    return True


def _stored(scope: Scope, index: int, values: NDArray[Any]) -> NDArray[Any]:
    """Numbers as a tensor of bytes stores them; any other's as they are."""
    affine, kind = scope.whole(index), scope.tensor(index).kind
    if affine is None or affine.scales.size > 1:
        return values
    limits = np.iinfo(kind.lower())
    steps = np.rint(values / affine.scales[0]) + affine.zeros[0]
    return np.asarray(np.clip(steps, limits.min, limits.max), limits.dtype)


def _of(function: Callable[..., Any]) -> Callable[[_Call], Any]:
    """A function of the numbers alone."""

    def compute(call: _Call) -> Any:
        if call.option("FusedActivationFunction"):
            raise ValueError("an activation")
        np.broadcast_shapes(*(item.shape for item in call.read))
        return function(*call.read)

    return compute


def _pack(call: _Call) -> Any:
    return np.stack(call.read, int(call.option("Axis")))


def _concatenate(call: _Call) -> Any:
    return np.concatenate(call.read, int(call.option("Axis")))


def _gather(call: _Call) -> Any:
    return np.take(call.read[0], call.read[1].astype(np.int64), int(call.option("Axis")))


def _slice(call: _Call) -> Any:
    values, begins, sizes = call.read
    pairs = zip(np.ravel(begins), np.ravel(sizes), strict=True)
    return values[tuple(slice(int(at), None if size == -1 else int(at + size)) for at, size in pairs)]


def _strided(call: _Call) -> Any:
    values = call.read[0]
    found = strided(call.scope, call.op, values.shape)
    for axis, (begin, end, step) in enumerate(found.bounds):
        values = np.take(values, np.arange(begin, end, step), axis)
    return values.reshape([side for axis, side in enumerate(values.shape) if axis not in found.dropped])


def _cast(call: _Call) -> Any:
    kind = NUMBERS.get(call.scope.tensor(call.op.outputs[0]).kind)
    if kind is None:
        raise ValueError("another type")
    return call.read[0].astype(kind)


def _reshape(call: _Call) -> Any:
    wanted = call.read[1] if len(call.read) > 1 else call.option("NewShape")
    return call.read[0].reshape([int(side) for side in np.ravel(wanted)])


def _expand(call: _Call) -> Any:
    return np.expand_dims(call.read[0], int(call.read[1].reshape(-1)[0]))


def _squeeze(call: _Call) -> Any:
    return np.squeeze(call.read[0], tuple(call.option("SqueezeDims") or ()) or None)


def _product(call: _Call) -> Any:
    values, axes = call.read
    over = tuple(int(axis) for axis in np.ravel(axes))
    return np.prod(values, over, keepdims=bool(call.option("KeepDims")), dtype=values.dtype)


def _fill(call: _Call) -> Any:
    sides = [int(side) for side in np.ravel(call.read[0])]
    if math.prod(sides) > SMALL or min(sides, default=1) < 0:
        raise ValueError("too many")
    return np.full(sides, call.read[1].reshape(-1)[0])


def _transpose(call: _Call) -> Any:
    return call.read[0].transpose([int(axis) for axis in np.ravel(call.read[1])])


def _tile(call: _Call) -> Any:
    times = [int(number) for number in np.ravel(call.read[1])]
    if min(times, default=1) < 0 or math.prod([call.read[0].size, *times]) > SMALL:
        raise ValueError("too many")
    return np.tile(call.read[0], times)


def _range(call: _Call) -> Any:
    begin, end, step = (item.reshape(-1)[0].item() for item in call.read)
    if not 0 <= (end - begin) / step <= SMALL:
        raise ValueError("too many")
    return np.asarray(np.arange(begin, end, step), call.read[0].dtype)


FOLDED: Mapping[str, Callable[[_Call], Any]] = {
    "ADD": _of(np.add),
    "CAST": _cast,
    "CONCATENATION": _concatenate,
    "DIV": _of(np.divide),
    "EXPAND_DIMS": _expand,
    "FILL": _fill,
    "FLOOR_DIV": _of(np.floor_divide),
    "GATHER": _gather,
    "MAXIMUM": _of(np.maximum),
    "MINIMUM": _of(np.minimum),
    "MUL": _of(np.multiply),
    "PACK": _pack,
    "RANGE": _range,
    "REDUCE_PROD": _product,
    "RESHAPE": _reshape,
    "RSQRT": _of(lambda value: 1 / np.sqrt(value)),
    "SLICE": _slice,
    "SQUEEZE": _squeeze,
    "STRIDED_SLICE": _strided,
    "SUB": _of(np.subtract),
    "TILE": _tile,
    "TRANSPOSE": _transpose,
}
# Of them, those that move numbers, bytes with a scale among them.
MOVED = {
    code: FOLDED[code]
    for code in (
        "CONCATENATION", "EXPAND_DIMS", "GATHER", "PACK", "RESHAPE", "SLICE", "SQUEEZE", "STRIDED_SLICE",
        "TILE", "TRANSPOSE",
    )
}  # fmt: skip
