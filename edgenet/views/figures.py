"""The figures of a report that people compare: one place that reads them, one way to write each unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgenet.report import Report

__all__ = ["FIGURES", "Figure", "build", "headline", "interval", "number", "share", "size", "value"]


@dataclass(frozen=True)
class Figure:
    """One figure of a report.

    Attributes:
        key: Short name, as in a CSV.
        label: For people, with the unit.
        digits: Decimals.
        better: 1 where more is better, -1 where less is, 0 where neither.
        pick: Reads it from a report; ``None`` where it was not measured.
        timed: Whether it tells how fast the board is.
    """

    key: str
    label: str
    digits: int
    better: int
    pick: Callable[[Report], float | None]
    timed: bool = False


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _joules(report: Report) -> float | None:
    return (report.energy or {}).get("joules_per_frame")


FIGURES = (
    Figure("size_mb", "artifact MB", 2, -1, lambda r: r.bundle["size_bytes"] / 1e6),
    Figure("p50_ms", "p50 ms", 3, -1, lambda r: r.latency_ms["p50"], True),
    Figure("p99_ms", "p99 ms", 3, -1, lambda r: r.latency_ms.get("p99"), True),
    Figure("fps_model", "FPS model", 1, 1, lambda r: r.fps["model"], True),
    Figure("fps_pipeline", "FPS pipeline", 1, 1, lambda r: r.fps.get("pipeline"), True),
    Figure("peak_mb", "peak MB", 1, -1, lambda r: r.memory_mb.get("peak")),
    Figure("joules_per_frame", "J/frame", 4, -1, _joules, True),
    Figure("top1_percent", "top-1 %", 1, 1, lambda r: _percent(r.drift.get("top1"))),
    Figure("drift_pp", "drift pp", 2, 1, lambda r: r.drift.get("top1_delta_pp")),
    Figure("agreement_percent", "agree %", 1, 1, lambda r: _percent(r.drift["agreement"])),
)


def value(figure: Figure, report: Report) -> float | None:
    """A figure, or ``None`` where it is absent or where an emulated board says nothing about it."""
    return None if figure.timed and report.emulated else figure.pick(report)


def build(report: Report) -> str:
    """What was measured, in two words: "tflite int8"."""
    return f"{report.bundle['backend']} {report.bundle['precision']}"


def headline(report: Report) -> dict[str, str]:
    """The figures as text, by label."""
    return {figure.label: number(value(figure, report), figure.digits) for figure in FIGURES}


def number(value: float | None, digits: int = 2, suffix: str = "") -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}{suffix}"


def share(value: float | None, digits: int = 1) -> str:
    """A share of 1 as percent, or a dash."""
    return number(_percent(value), digits, " %")


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def interval(pair: Any, digits: int = 2) -> str:
    """ "The text "lo to hi" of a two-sided interval, or nothing."""
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        return ""
    return f"{pair[0]:.{digits}f} to {pair[1]:.{digits}f}"
