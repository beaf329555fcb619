"""Reports in the terminal: a table, and for one report what stands behind it, with sparklines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.table import Table

from edgenet.cli.shared.output import draw, print_rows, print_table, say_wrapped, styled, width
from edgenet.cli.shared.tables import verdict_rows
from edgenet.figures import number
from edgenet.report import Report
from edgenet.views.comparison import notes, table

__all__ = ["show", "sparkline"]

BLOCKS = "▁▂▃▄▅▆▇█"
COLOURS = {"VALID": "green", "NOISY": "yellow", "EMULATED": "cyan"}
SLICES, FEWEST, BAR = 48, 12, 28
# Characters of a line beside a curve.
BESIDE = 40


def show(reports: Sequence[Report]) -> None:
    """Print one report in full, or several side by side."""
    columns, rows = table(reports)
    title = ", ".join(dict.fromkeys(report.bundle.model for report in reports))
    print_table(title, columns, [[text for text, _ in cells] for cells in rows])
    if len(reports) > 1:
        say_wrapped(*(f"note: {note}" for note in notes(reports)))
        return
    report = reports[0]
    state = report.verdict.state
    draw(styled(f"{report.build}: {state}", COLOURS.get(state, "red")))
    print_rows([*verdict_rows(report), *([] if report.emulated else _curves(report))])
    if report.layers:
        draw(_layers(report))


def _curves(report: Report) -> list[tuple[str, str]]:
    """As wide as the terminal leaves room for."""
    samples, slices = report.latency_ms.array(), max(min(SLICES, width() - BESIDE), FEWEST)
    low, high = number(report.latency_ms.min, 3), number(report.latency_ms.p99, 3)
    return [
        ("over time", f"{sparkline(_medians(samples, slices))}  median of {slices} slices"),
        ("histogram", f"{sparkline(_counts(samples, slices))}  {low} to {high} ms"),
    ]


def sparkline(values: Sequence[float]) -> str:
    """One block a value, lowest to highest; all the same are the lowest block."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(BLOCKS[min(int((value - low) / span * len(BLOCKS)), len(BLOCKS) - 1)] for value in values)


def _medians(samples: np.ndarray, slices: int) -> list[float]:
    return [float(np.median(part)) for part in np.array_split(samples, min(slices, len(samples)))]


def _counts(samples: np.ndarray, slices: int) -> list[float]:
    high = float(np.percentile(samples, 99))
    counts, _ = np.histogram(np.minimum(samples, high), slices)
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
