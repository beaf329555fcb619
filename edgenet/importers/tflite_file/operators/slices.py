"""What a STRIDED_SLICE takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from edgenet.importers.tflite_file.network import Operator
from edgenet.importers.tflite_file.scope import ELSEWHERE, Scope

__all__ = ["Strided", "strided"]


class Strided(NamedTuple):
    """Begin, end (-1: before the first) and step of every axis, and the axes that vanish."""

    bounds: list[tuple[int, int, int]]
    dropped: frozenset[int]


def strided(scope: Scope, op: Operator, shape: Sequence[int]) -> Strided:
    """Read the operands and masks.

    Source: tensorflow/lite/kernels/internal/strided_slice_logic.h; a bit of a mask stands for an axis.
    """
    columns = [[int(item) for item in np.ravel(scope.number(op, at))] for at in (1, 2, 3)]
    if len({len(column) for column in columns}) > 1 or len(columns[0]) > len(shape) or 0 in columns[2]:
        raise scope.damaged(op, f"begins, ends and steps that do not fit {list(shape)}")
    if (
        op.options.get("EllipsisMask", 0)
        or op.options.get("NewAxisMask", 0)
        or op.options.get("Offset", False)
    ):
        raise scope.refuse(op, "it adds axes, or leaves some out", ELSEWHERE)
    begin_mask, end_mask, shrink = (
        int(op.options.get(name, 0)) for name in ("BeginMask", "EndMask", "ShrinkAxisMask")
    )
    bounds = []
    for axis, side in enumerate(shape):
        if axis >= len(columns[0]):
            bounds.append((0, side, 1))
            continue
        begin, end, step = (column[axis] for column in columns)
        if shrink >> axis & 1:
            at = begin + side if begin < 0 else begin
            if not 0 <= at < side:
                raise scope.damaged(op, f"number {begin} of {side}")
            bounds.append((at, at + 1, 1))
            continue
        cut = slice(None if begin_mask >> axis & 1 else begin, None if end_mask >> axis & 1 else end, step)
        bounds.append(cut.indices(side))
    return Strided(bounds, frozenset(axis for axis in range(len(columns[0])) if shrink >> axis & 1))
