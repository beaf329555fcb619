"""How figures are written: one way for each unit, wherever people read them."""

from __future__ import annotations

from collections.abc import Sequence

from edgenet.metric import number, size
from edgenet.report import Report

__all__ = ["build", "interval", "number", "share", "size"]


def build(report: Report) -> str:
    """What was measured, in two words: "tflite int8"."""
    return f"{report.bundle.backend} {report.bundle.precision}"


def share(value: float | None, digits: int = 1) -> str:
    """A share of 1 as percent, or a dash."""
    return number(None if value is None else 100.0 * value, digits, " %")


def interval(pair: Sequence[float] | None, digits: int = 2) -> str:
    """The text "lo to hi" of a two-sided interval, or nothing."""
    return "" if pair is None else f"{pair[0]:.{digits}f} to {pair[1]:.{digits}f}"
