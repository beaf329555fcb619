"""A kernel cut into pieces: every tap in one of them, over the pixels that it reads in the whole one."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from edgenet.backends.lowering.pieces import LARGEST, Axis, Part, divide

TAPS = st.integers(1, 13)


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    """A side with any pads, also such as no rule of TFLite's gives."""
    taps, stride, dilation = draw(TAPS), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    reach = (taps - 1) * dilation + 1
    before, after, size = (
        draw(st.integers(0, reach - 1)),
        draw(st.integers(0, reach - 1)),
        draw(st.integers(1, 40)),
    )
    assume(size + before + after >= reach)
    return Axis(size, (size + before + after - reach) // stride + 1, taps, stride, dilation, before)


def tflite_side(axis: Axis, part: Part, padding: str | None) -> tuple[int, int]:
    """Outputs and pixels before the first, as tensorflow/lite/kernels/padding.h computes them."""
    reach = (part.count - 1) * part.dilation + 1
    if padding == "SAME":
        out = -(-axis.size // axis.stride)
        return out, max((out - 1) * axis.stride + reach - axis.size, 0) // 2
    size = axis.size if padding == "VALID" else axis.size + part.before + part.after
    return (size - reach) // axis.stride + 1, 0 if padding == "VALID" else part.before


@given(axes(), axes())
def test_every_tap_reads_what_it_did(height: Axis, width: Axis) -> None:
    seen = np.zeros((height.taps, width.taps), int)
    for piece in divide(height, width):
        seen[piece.rows.first :: piece.rows.step, piece.columns.first :: piece.columns.step] += 1
        assert piece.taps <= LARGEST
        for axis, part in ((height, piece.rows), (width, piece.columns)):
            out, before = tflite_side(axis, part, piece.padding)
            assert out == axis.out
            assert before == axis.before - part.first * axis.dilation
            assert part.dilation == part.step * axis.dilation
    assert (seen == 1).all()


def same(size: int, taps: int, stride: int = 1, dilation: int = 1) -> Axis:
    out = -(-size // stride)
    total = max((out - 1) * stride + (taps - 1) * dilation + 1 - size, 0)
    return Axis(size, out, taps, stride, dilation, total // 2)


def test_a_small_kernel_is_its_own_piece() -> None:
    (piece,) = divide(same(28, 5), same(28, 5))
    assert (piece.taps, piece.padding) == (25, "SAME")


def test_seven_by_seven_is_three_pieces_without_explicit_pads() -> None:
    for stride in (1, 2):
        pieces = divide(same(28, 7, stride), same(28, 7, stride))
        assert sorted(piece.taps for piece in pieces) == [12, 16, 21]
        assert {piece.padding for piece in pieces} == {"SAME"}


def test_a_huge_kernel_is_cut_in_no_time() -> None:
    pieces = divide(same(300, 201), same(300, 201))
    assert sum(piece.taps for piece in pieces) == 201 * 201
