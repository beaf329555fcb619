"""Operators of two tensors, number by number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.scope import ELSEWHERE, Scope

__all__ = ["binary", "operand", "write_matmul", "write_squared_difference"]


def binary(kind: str) -> Callable[[Scope, Operator], None]:
    """Add, Sub, Mul, Div, Max, Min and Pow, which broadcast from the last axis of the file."""

    def write(scope: Scope, op: Operator) -> None:
        parts, shape = _operands(scope, op)
        scope.finish(op, scope.emit(kind, parts, scope.result(op)), shape)

    return write


def write_squared_difference(scope: Scope, op: Operator) -> None:
    """SQUARED_DIFFERENCE → Sub and Mul with itself."""
    parts, shape = _operands(scope, op)
    name = scope.result(op)
    apart = scope.emit("Sub", parts, f"{name}/difference")
    scope.finish(op, scope.emit("Mul", [apart, apart], name), shape)


def write_matmul(scope: Scope, op: Operator) -> None:
    """BATCH_MATMUL of tensors of rank 2 or 3 → MatMul."""
    shapes = [scope.shape(index) for index in op.inputs]
    if len(shapes) != 2 or any(len(shape) not in (2, 3) for shape in shapes):
        raise scope.refuse(op, f"a product of {' and '.join(str(list(item)) for item in shapes)}", ELSEWHERE)
    name, parts, turned = scope.result(op), [], []
    for index, shape, option in zip(op.inputs, shapes, ("AdjX", "AdjY"), strict=True):
        source, order = scope.real(index), list(range(len(shape)))
        if op.options.get(option, False):
            order[-2:] = order[:-3:-1]
            source = scope.emit("Transpose", [source], f"{name}/{option.lower()}", perm=order)
        parts.append(source)
        turned.append([shape[axis] for axis in order])
    if turned[0][-1] != turned[1][-2]:
        raise scope.damaged(op, f"a product of {turned[0]} and {turned[1]}")
    batch = _broadcast(scope, op, [item[:-2] for item in turned])
    scope.finish(op, scope.emit("MatMul", parts, name), (*batch, turned[0][-2], turned[1][-1]))


def operand(scope: Scope, op: Operator, index: int, rank: int) -> str:
    """A tensor's real values with as many axes as the result has."""
    shape = scope.shape(index)
    if len(shape) == rank or (math.prod(shape) == 1 and index in scope.values):
        return scope.real(index)
    full = (1,) * (rank - len(shape)) + shape
    if index in scope.values and scope.whole(index) is None:
        values = scope.floats(index).reshape(full)
        return scope.constant(
            scope.tensor(index).name, values.transpose((0, 3, 1, 2)) if rank == 4 else values
        )
    return scope.reshaped(scope.real(index), shape, full, f"{scope.result(op)}/operand")


def _operands(scope: Scope, op: Operator) -> tuple[list[str], tuple[int, ...]]:
    if len(op.inputs) != 2:
        raise scope.damaged(op, f"{len(op.inputs)} operands")
    shape = _broadcast(scope, op, [scope.shape(index) for index in op.inputs])
    return [operand(scope, op, index, len(shape)) for index in op.inputs], shape


def _broadcast(scope: Scope, op: Operator, shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    try:
        return tuple(np.broadcast_shapes(*(tuple(shape) for shape in shapes)))
    except ValueError:
        told = " and ".join(str(list(shape)) for shape in shapes)
        raise scope.damaged(op, f"operands of {told}") from None
