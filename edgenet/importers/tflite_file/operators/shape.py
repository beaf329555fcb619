"""Operators that move numbers: reshapes, padding, transposes."""

from __future__ import annotations

import math

import numpy as np

from edgenet.importers.tflite_file.layout import TO_GRAPH, graph_axis
from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.scope import ELSEWHERE, Scope

__all__ = ["write_mirror_pad", "write_pad", "write_reshape", "write_transpose"]

MIRRORS = {0: "reflect"}


def write_reshape(scope: Scope, op: Operator) -> None:
    """RESHAPE, SQUEEZE and EXPAND_DIMS: the same numbers in another shape."""
    shape, wanted = scope.shape(op.inputs[0]), _wanted(scope, op)
    if math.prod(shape) != math.prod(wanted):
        raise scope.damaged(op, f"{list(shape)} as {list(wanted)}")
    source = op.inputs[0]
    if _same_scale(scope, op):
        root = scope.flattened.get(source, source)
        if len(scope.shape(root)) == 4:
            scope.flattened[op.outputs[0]] = root
    result = scope.reshaped(scope.real(source), shape, wanted, scope.result(op))
    scope.finish(op, result, wanted)


def write_transpose(scope: Scope, op: Operator) -> None:
    """TRANSPOSE; of what the graph has in another order, the two as one."""
    shape, given = scope.shape(op.inputs[0]), np.ravel(scope.number(op, 1))
    rank = len(shape)
    order = [int(axis) % max(rank, 1) for axis in given]
    if sorted(order) != list(range(rank)):
        raise scope.damaged(op, f"the order {order} of {rank} axes")
    turned = [graph_axis(rank, order[axis]) for axis in (TO_GRAPH if rank == 4 else range(rank))]
    source = scope.real(op.inputs[0])
    if turned != list(range(rank)):
        source = scope.emit("Transpose", [source], scope.result(op), perm=turned)
    scope.finish(op, source, [shape[axis] for axis in order])


def write_pad(scope: Scope, op: Operator) -> None:
    """PAD and PADV2 → Pad; zeros around a picture are known to the convolution behind."""
    amounts, shape = _amounts(scope, op), scope.shape(op.inputs[0])
    value = 0.0
    if len(op.inputs) > 2:
        value = scope.single(op, 2)
    if not math.isfinite(value):
        raise scope.refuse(op, f"it pads with {value}", ELSEWHERE)
    if value == 0 and len(shape) == 4 and not np.any(amounts[[0, 3]]) and _same_scale(scope, op):
        scope.padded[op.outputs[0]] = op.inputs[0], _sides(amounts)
    _write_pad(scope, op, amounts, "constant", value)


def write_mirror_pad(scope: Scope, op: Operator) -> None:
    """MIRROR_PAD without the border's own pixels → Pad."""
    mode, amounts = MIRRORS.get(int(op.options.get("Mode", 0))), _amounts(scope, op)
    if mode is None:
        raise scope.refuse(op, "it mirrors the border's own pixels (SYMMETRIC), which ONNX cannot", ELSEWHERE)
    if np.any(amounts >= np.array(scope.shape(op.inputs[0]))[:, None]):
        raise scope.damaged(op, "it mirrors more than there is")
    _write_pad(scope, op, amounts, mode, 0.0)


def _write_pad(scope: Scope, op: Operator, amounts: np.ndarray, mode: str, value: float) -> None:
    shape = scope.shape(op.inputs[0])
    order = TO_GRAPH if len(shape) == 4 else tuple(range(len(shape)))
    pads = scope.held(amounts[list(order)].T.reshape(-1), np.int64)
    inputs = [scope.real(op.inputs[0]), pads, *([scope.held(value)] if mode == "constant" else [])]
    result = scope.emit("Pad", inputs, scope.result(op), mode=mode)
    scope.finish(op, result, np.array(shape) + amounts.sum(axis=1))


def _amounts(scope: Scope, op: Operator) -> np.ndarray:
    """int64 [axes, 2], before and behind."""
    amounts, rank = scope.number(op, 1), len(scope.shape(op.inputs[0]))
    if amounts.shape != (rank, 2) or np.any(amounts < 0) or np.any(amounts > 1 << 16):
        raise scope.damaged(op, "its amounts do not fit its picture")
    return np.asarray(amounts, np.int64)


def _sides(amounts: np.ndarray) -> tuple[int, int, int, int]:
    (top, bottom), (left, right) = amounts[1:3].tolist()
    return top, left, bottom, right


def _wanted(scope: Scope, op: Operator) -> tuple[int, ...]:
    """The shape that is asked for, -1 taken from what is left."""
    shape = scope.shape(op.inputs[0])
    if op.code == "RESHAPE":
        return _filled(scope, op, _asked(scope, op))
    if op.code == "EXPAND_DIMS":
        at = int(scope.single(op, 1)) % (len(shape) + 1)
        return (*shape[:at], 1, *shape[at:])
    axes = {int(axis) % max(len(shape), 1) for axis in op.options.get("SqueezeDims", [])}
    if any(shape[axis] != 1 for axis in axes):
        raise scope.damaged(op, f"it squeezes axes {sorted(axes)} of {list(shape)}")
    return tuple(side for axis, side in enumerate(shape) if not (axis in axes or (not axes and side == 1)))


def _asked(scope: Scope, op: Operator) -> list[int]:
    if len(op.inputs) > 1 and op.inputs[1] in scope.values:
        return [int(side) for side in np.ravel(scope.values[op.inputs[1]])]
    if len(op.inputs) > 1 and op.inputs[1] >= 0 and scope.is_known(op.inputs[1]):
        raise scope.refuse(op, "its shape is computed while it runs", ELSEWHERE)
    told = op.options.get("NewShape") or list(scope.tensor(op.outputs[0]).shape)
    return [int(side) for side in told]


def _filled(scope: Scope, op: Operator, wanted: list[int]) -> tuple[int, ...]:
    count, free = math.prod(scope.shape(op.inputs[0])), [at for at, side in enumerate(wanted) if side < 0]
    known = math.prod(side for side in wanted if side >= 0)
    if len(free) > 1 or (free and (not known or count % known)):
        raise scope.damaged(op, f"{list(scope.shape(op.inputs[0]))} as {wanted[:8]}")
    for at in free:
        wanted[at] = count // known
    return tuple(wanted)


def _same_scale(scope: Scope, op: Operator) -> bool:
    """Whether the result is stored as what is read."""
    read, made = (scope.tensor(index) for index in (op.inputs[0], op.outputs[0]))
    if read.affine is None or made.affine is None:
        return read.kind == made.kind
    same = np.array_equal(read.affine.scales, made.affine.scales)
    return read.kind == made.kind and same and np.array_equal(read.affine.zeros, made.affine.zeros)
