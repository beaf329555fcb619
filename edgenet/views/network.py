"""The network in the order of its layers: how they are joined, what each takes, how noisy it is."""

from __future__ import annotations

from collections.abc import Sequence

from edgenet.breakdown import Layer
from edgenet.figures import share
from edgenet.report import Report
from edgenet.views.lanes import LANE, lanes
from edgenet.views.parts import Bar, Network, Row, Table

__all__ = ["extremes", "network", "noise"]

# Rows up to which the list stands open, and of a short list.
OPEN, FEW = 40, 5


def network(report: Report) -> Network | None:
    """The list, or ``None`` without layers."""
    rows = report.layers
    if not rows:
        return None
    drawn, width = lanes(rows)
    bars, columns = [], []
    if not report.emulated:
        columns.append("time, ms")
        bars.append(_times(rows))
    if any(row.sqnr_db is not None for row in rows):
        columns.append("noise, % of the signal")
        bars.append(_noises(rows))
    cells = list(zip(*bars, strict=True)) if bars else [()] * len(rows)
    listed = [
        Row(lane, row.name, row.op or "", bar) for lane, row, bar in zip(drawn, rows, cells, strict=True)
    ]
    return Network(columns, listed, width * LANE, len(rows) > OPEN)


def _times(rows: Sequence[Layer]) -> list[Bar | None]:
    most = max(row.ms for row in rows) or 1.0
    return [
        Bar(f"{row.ms:.3g}", row.ms / most, "" if row.share is None else f"{share(row.share)} of all layers")
        for row in rows
    ]


def _noises(rows: Sequence[Layer]) -> list[Bar | None]:
    found = [None if row.sqnr_db is None else noise(row.sqnr_db) for row in rows]
    most = max((value for value in found if value is not None), default=1.0)
    return [
        None if value is None else Bar(_percent(value), value / most, f"SQNR {row.sqnr_db:.1f} dB")
        for row, value in zip(rows, found, strict=True)
    ]


def _percent(value: float) -> str:
    return "<0.01" if value < 0.01 else f"{value:.2f}" if value < 1 else f"{value:.1f}"


def noise(sqnr_db: float) -> float:
    """The RMS of the noise over that of the signal, in percent, of a signal to noise ratio in dB."""
    return float(100.0 * 10.0 ** (-max(min(sqnr_db, 300.0), -300.0) / 20.0))


def extremes(report: Report) -> list[Table]:
    """The few slowest and the few noisiest layers of a long list."""
    rows, found = report.layers, []
    if len(rows) <= OPEN:
        return []
    if not report.emulated:
        slow = sorted(rows, key=lambda row: -row.ms)[:FEW]
        cells = [[row.name, row.op or "–", f"{row.ms:.3g}", share(row.share)] for row in slow]
        found.append(Table("The slowest layers", ["layer", "operator", "ms", "share"], cells))
    noisy = sorted((row for row in rows if row.sqnr_db is not None), key=lambda row: row.sqnr_db or 0.0)[:FEW]
    if noisy:
        cells = [
            [row.name, row.op or "–", _percent(noise(row.sqnr_db or 0.0)), f"{row.sqnr_db:.1f}"]
            for row in noisy
        ]
        columns = ["layer", "operator", "noise, %", "SQNR dB"]
        found.append(Table("The noisiest layers", columns, cells))
    return found
