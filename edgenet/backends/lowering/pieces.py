"""A depthwise kernel of many taps as a sum of smaller ones, each of a size that XNNPACK has vector code for.

XNNPACK's depthwise micro-kernels read up to 25 taps (src/configs/dwconv-config.c: 3, 4, 9 and 25). Every
n-th row and m-th column of a kernel is a smaller kernel with dilations n and m, over nearly the same
pixels: 7x7 taps are 7x3, 7x2 and 7x2, or 3x7, 4x4 and 4x3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

__all__ = ["LARGEST", "Axis", "Part", "Piece", "divide"]

LARGEST = 25  # taps that a micro-kernel reads
# What costs as much as how many taps of all outputs: the taps that micro-kernels read, used or not; ADD;
# SLICE; and PAD, which XNNPACK makes a part of the convolution. LiteRT 2.3 on x86-64 with AVX-512, 96
# channels of 28x28: 0.016 ms for 9 taps, 0.043 for 25, 0.01 to 0.02 for an ADD or a SLICE.
READ, ADD, SLICE, PAD = (9, LARGEST), 9, 9, 1
CHOICES = 8  # distances of rows that are tried, from the smallest that leaves at most 25 of them


@dataclass(frozen=True)
class Axis:
    """The height or the width of a depthwise convolution, all but ``taps`` and ``out`` in pixels.

    Attributes:
        size: Of the input.
        out: Of the output.
        taps: Of the kernel.
        stride: Between outputs.
        dilation: Between taps.
        before: Padding at the beginning.
    """

    size: int
    out: int
    taps: int
    stride: int
    dilation: int
    before: int


@dataclass(frozen=True)
class Part:
    """Some taps of an axis, evenly spaced, and the pixels that they read.

    Attributes:
        first: The first tap.
        step: From tap to tap, in taps of the whole kernel.
        count: How many there are.
        dilation: From tap to tap, in pixels.
        before: Padding at the beginning; negative: how many pixels are left out.
        after: The same at the end.
        same: Whether TFLite's SAME reads these pixels.
        valid: Whether TFLite's VALID does, with no padding.
    """

    first: int
    step: int
    count: int
    dilation: int
    before: int
    after: int
    same: bool
    valid: bool

    @classmethod
    def of(cls, axis: Axis, first: int, step: int) -> Part:
        """Every ``step``-th tap of an axis from the tap ``first`` on."""
        count, dilation = len(range(first, axis.taps, step)), step * axis.dilation
        before = axis.before - first * axis.dilation
        span = (axis.out - 1) * axis.stride + (count - 1) * dilation + 1
        after = span - axis.size - before
        if -axis.stride < after < 0:  # too few pixels for one more output
            after = 0
        same = axis.out == -(-axis.size // axis.stride) and before == max(span - axis.size, 0) // 2
        return cls(first, step, count, dilation, before, after, same, before == after == 0)


@dataclass(frozen=True)
class Piece:
    """The taps where some rows and some columns of a kernel meet."""

    rows: Part
    columns: Part

    @property
    def padding(self) -> str | None:
        """The rule of TFLite that reads the same pixels, "SAME" or "VALID"; ``None`` where neither does."""
        if self.rows.valid and self.columns.valid:
            return "VALID"
        return "SAME" if self.rows.same and self.columns.same else None

    @property
    def taps(self) -> int:
        """How many taps it has."""
        return self.rows.count * self.columns.count

    @property
    def cost(self) -> int:
        """What it costs, in taps of all outputs."""
        read = next(size for size in READ if self.taps <= size)
        if self.padding is not None:
            return read
        sides = (self.rows.before, self.rows.after, self.columns.before, self.columns.after)
        return read + PAD * (max(sides) > 0) + SLICE * (min(sides) < 0)


Pieces = tuple[Piece, ...]


@cache
def divide(height: Axis, width: Axis) -> Pieces:
    """The cheapest pieces that make up a kernel, of at most 25 taps each; itself where it has no more."""
    upright = _ways(height, width)
    across = [tuple(Piece(item.columns, item.rows) for item in way) for way in _ways(width, height)]
    return min((*upright, *across), key=_cost)


def _ways(first: Axis, second: Axis) -> list[Pieces]:
    """Every way to take each n-th row, and of those rows each m-th column."""
    ways, fewest = [], -(-first.taps // LARGEST)
    for step in range(fewest, min(fewest + CHOICES, first.taps + 1)):
        strips = [_strip(Part.of(first, begin, step), second) for begin in range(step)]
        ways.append(tuple(piece for strip in strips for piece in strip))
    return ways


def _strip(rows: Part, second: Axis) -> Pieces:
    fewest = -(-second.taps // (LARGEST // rows.count))
    steps = range(fewest, min(fewest + 1, second.taps) + 1)
    found = [tuple(Piece(rows, Part.of(second, begin, step)) for begin in range(step)) for step in steps]
    return min(found, key=_cost)


def _cost(pieces: Pieces) -> int:
    return sum(piece.cost for piece in pieces) + ADD * (len(pieces) - 1)
