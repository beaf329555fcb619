"""Reports in the terminal: a table, and for one report what stands behind it, with sparklines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.table import Table

from edgenet.cli.shared.output import draw, print_table, say, styled
from edgenet.cli.shared.tables import verdict_lines
from edgenet.figures import number
from edgenet.report import Report
from edgenet.views.comparison import notes, table

__all__ = ["show", "sparkline"]

BLOCKS = "▁▂▃▄▅▆▇█"
COLOURS = {"VALID": "green", "NOISY": "yellow", "EMULATED": "cyan"}
SLICES, BAR = 48, 28


def show(reports: Sequence[Report]) -> None:
    """Print one report in full, or several side by side."""
    columns, rows = table(reports)
    title = ", ".join(dict.fromkeys(report.bundle.model for report in reports))
    print_table(title, columns, [[text for text, _ in cells] for cells in rows])
    if len(reports) > 1:
        say(*(f"note: {note}" for note in notes(reports)))
        return
    report = reports[0]
    state = report.verdict.state
    draw(styled(f"{report.build}: {state}", COLOURS.get(state, "red")))
    say(*verdict_lines(report))
    if not report.emulated:
        samples = report.latency_ms.array()
        low, high = number(report.latency_ms.min, 3), number(report.latency_ms.p99, 3)
        say(f"over time    {sparkline(_medians(samples))}  median of {SLICES} slices")
        say(f"histogram    {sparkline(_counts(samples))}  {low} to {high} ms")
    if report.layers:
        draw(_layers(report))


def sparkline(values: Sequence[float]) -> str:
    """One block a value, lowest to highest; all the same are the lowest block."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(BLOCKS[min(int((value - low) / span * len(BLOCKS)), len(BLOCKS) - 1)] for value in values)


def _medians(samples: np.ndarray) -> list[float]:
    return [float(np.median(part)) for part in np.array_split(samples, min(SLICES, len(samples)))]


def _counts(samples: np.ndarray) -> list[float]:
    high = float(np.percentile(samples, 99))
    counts, _ = np.histogram(np.minimum(samples, high), SLICES)
    return [float(count) for count in counts]


def _layers(report: Report) -> Table:
    """Every layer with a bar as long as its time."""
    longest = max((row.ms for row in report.layers), default=0.0) or 1.0
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("layer", "operator"):
        drawn.add_column(name, overflow="fold")
    for name in ("ms", "SQNR dB"):
        drawn.add_column(name, justify="right")
    drawn.add_column("")
    for row in report.layers:
        ms = None if report.emulated else row.ms
        bar = "█" * round(BAR * (ms or 0.0) / longest)
        cells = [row.name, row.op or "–", number(ms, 4), number(row.sqnr_db, 1)]
        drawn.add_row(*map(styled, cells), styled(bar, "blue"))
    return drawn
