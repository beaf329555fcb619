"""Operators that take tensors apart and put them together."""

from __future__ import annotations

import numpy as np

from edgenet.importers.tflite_file.layout import graph_axis
from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.operators.slices import strided
from edgenet.importers.tflite_file.scope import ELSEWHERE, Scope

__all__ = [
    "write_concatenation",
    "write_gather",
    "write_pack",
    "write_slice",
    "write_split",
    "write_strided_slice",
]


def write_concatenation(scope: Scope, op: Operator) -> None:
    """CONCATENATION → Concat."""
    shapes = [scope.shape(index) for index in op.inputs]
    rank = len(shapes[0]) if shapes else 0
    axis = int(op.options.get("Axis", 0)) % max(rank, 1)
    if not rank or len({(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}) > 1:
        raise scope.damaged(op, f"{' and '.join(str(list(shape)) for shape in shapes[:4])} along axis {axis}")
    made = list(shapes[0])
    made[axis] = sum(shape[axis] for shape in shapes)
    parts = [scope.real(index) for index in op.inputs]
    scope.finish(op, scope.emit("Concat", parts, scope.result(op), axis=graph_axis(rank, axis)), made)


def write_pack(scope: Scope, op: Operator) -> None:
    """PACK → a Reshape of each, and Concat."""
    shapes = [scope.shape(index) for index in op.inputs]
    if not shapes or len(set(shapes)) > 1:
        raise scope.damaged(op, "it packs tensors of several shapes")
    shape, name = shapes[0], scope.result(op)
    axis = int(op.options.get("Axis", 0)) % (len(shape) + 1)
    full = (*shape[:axis], 1, *shape[axis:])
    parts = [scope.reshaped(scope.real(index), shape, full, f"{name}/part") for index in op.inputs]
    made = (*shape[:axis], len(parts), *shape[axis:])
    scope.finish(op, scope.emit("Concat", parts, name, axis=graph_axis(len(made), axis)), made)


def write_split(scope: Scope, op: Operator) -> None:
    """SPLIT and SPLIT_V → one Slice each."""
    source, at, sizes = (1, 0, None) if op.code == "SPLIT" else (0, 2, 1)
    shape = scope.shape(op.inputs[source]) if len(op.inputs) > source and op.inputs[source] >= 0 else ()
    if not shape:
        raise scope.damaged(op, "it splits nothing")
    axis = int(scope.single(op, at)) % len(shape)
    count = len(op.outputs)
    wanted = (
        [shape[axis] // count] * count
        if sizes is None
        else [int(x) for x in np.ravel(scope.number(op, sizes))]
    )
    left = shape[axis] - sum(size for size in wanted if size >= 0)
    wanted = [left if size < 0 else size for size in wanted]
    if len(wanted) != count or sum(wanted) != shape[axis] or min(wanted) < 1:
        raise scope.damaged(op, f"parts of {wanted[:8]} from {list(shape)} along axis {axis}")
    begin = 0
    for number, size in enumerate(wanted):
        bounds = {axis: (begin, begin + size, 1)}
        name = scope.result(op, number)
        result = _sliced(scope, scope.real(op.inputs[source]), name, len(shape), bounds)
        scope.finish(op, result, (*shape[:axis], size, *shape[axis + 1 :]), number)
        begin += size


def write_slice(scope: Scope, op: Operator) -> None:
    """SLICE: begin and size of every axis."""
    shape = scope.shape(op.inputs[0])
    begins, sizes = ([int(item) for item in np.ravel(scope.number(op, at))] for at in (1, 2))
    if len(begins) != len(shape) or len(sizes) != len(shape):
        raise scope.damaged(op, f"{len(begins)} begins and {len(sizes)} sizes for {list(shape)}")
    made = [
        side - begin if size == -1 else size for side, begin, size in zip(shape, begins, sizes, strict=True)
    ]
    bounds = {}
    for axis, (side, begin, size) in enumerate(zip(shape, begins, made, strict=True)):
        if begin < 0 or size < 1 or begin + size > side:
            raise scope.damaged(op, f"{size} numbers from {begin} of {side}")
        if size < side:
            bounds[axis] = (begin, begin + size, 1)
    name = scope.result(op)
    scope.finish(op, _sliced(scope, scope.real(op.inputs[0]), name, len(shape), bounds), made)


def write_strided_slice(scope: Scope, op: Operator) -> None:
    """STRIDED_SLICE → Slice, and a reshape where axes vanish."""
    shape, name = scope.shape(op.inputs[0]), scope.result(op)
    found = strided(scope, op, shape)
    sides = [len(range(*bounds)) for bounds in found.bounds]
    if min(sides, default=1) < 1:
        raise scope.damaged(op, f"it takes nothing of {list(shape)}")
    moved = {axis: item for axis, item in enumerate(found.bounds) if item != (0, shape[axis], 1)}
    result = _sliced(scope, scope.real(op.inputs[0]), name, len(shape), moved)
    left = [side for axis, side in enumerate(sides) if axis not in found.dropped]
    scope.finish(op, scope.reshaped(result, sides, left, f"{name}/flat"), left)


def write_gather(scope: Scope, op: Operator) -> None:
    """GATHER of a constant choice → Gather."""
    shape, chosen = scope.shape(op.inputs[0]), scope.number(op, 1)
    axis = int(op.options.get("Axis", 0)) % max(len(shape), 1)
    if chosen.ndim != 1 or op.options.get("BatchDims", 0):
        raise scope.refuse(op, "it chooses by a table", ELSEWHERE)
    if chosen.size == 0 or chosen.min() < 0 or chosen.max() >= shape[axis]:
        raise scope.damaged(op, f"it chooses what is not among {shape[axis]}")
    indices = scope.held(chosen, np.int64)
    result = scope.emit(
        "Gather", [scope.real(op.inputs[0]), indices], scope.result(op), axis=graph_axis(len(shape), axis)
    )
    scope.finish(op, result, (*shape[:axis], chosen.size, *shape[axis + 1 :]))


def _sliced(scope: Scope, source: str, name: str, rank: int, bounds: dict[int, tuple[int, int, int]]) -> str:
    """A part of a tensor: begin, end and step of the axes that are cut."""
    if not bounds:
        return source
    columns = [[item[at] for item in bounds.values()] for at in range(3)]
    columns[1] = [end if end >= 0 else -(1 << 31) for end in columns[1]]
    axes = [graph_axis(rank, axis) for axis in bounds]
    parts = [scope.held(column, np.int64) for column in (columns[0], columns[1], axes, columns[2])]
    return scope.emit("Slice", [source, *parts], name)
