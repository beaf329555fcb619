"""Comparisons in the terminal: of two reports, and of two runs of a fleet."""

from __future__ import annotations

from collections.abc import Sequence

from edgenet.cli.shared.output import print_table, say_wrapped
from edgenet.figures import interval, number
from edgenet.report import Limit
from edgenet.steps.compare import Comparison, Row
from edgenet.steps.compare_fleets import BoardComparison, FleetComparison

__all__ = ["show_comparison", "show_fleets"]

# Figures of a fleet's table, by the key that stands in the comparison's rows.
P50, PEAK = "p50 (ms)", "peak memory (MB)"


def show_comparison(found: Comparison, a: str, b: str) -> None:
    """Print the figures side by side, the verdict, and the gates."""
    rows = [[row.name, number(row.a, 3), number(row.b, 3), _change(row)] for row in found.rows]
    print_table(f"a = {a}, b = {b}", ["figure", "a", "b", "b to a"], rows)
    spread = (
        f"95 % interval {interval(found.interval, 3)}" if found.interval else "too few runs for an interval"
    )
    say_wrapped(f"{found.verdict}: p50 ratio {found.p50_ratio:.3f} ({spread})")
    for note in found.notes:
        say_wrapped(f"note: {note}")
    _gates(found.gates)


def _change(row: Row) -> str:
    """A ratio, or of shares a difference."""
    return number(row.ratio, 3, "x") if row.difference is None else f"{row.difference:+.2f} pp"


def show_fleets(found: FleetComparison, a: str, b: str) -> None:
    """Print a row a board, the whole fleet in a sentence, and the gates that are not kept."""
    heads = ["board", "p50 a ms", "p50 b ms", "b to a", "95 % interval", "peak MB", ""]
    print_table(f"a = {a}, b = {b}", heads, [_board(item) for item in found.boards])
    say_wrapped(f"over the fleet: {found.sentence}")
    for item in found.boards:
        if item.comparison and item.comparison.notes:
            say_wrapped(f"note: {item.board}: {', '.join(item.comparison.notes)}")
    for item in found.boards:
        _gates([gate for gate in item.gates if not gate.passed or gate.note], f"{item.board}: ")
    kept = sum(not item.over_limit for item in found.boards)
    if any(item.gates for item in found.boards):
        say_wrapped(f"gates: {kept} of {len(found.boards)} boards keep all")


def _board(item: BoardComparison) -> list[str]:
    if item.comparison is None:
        return [item.board, "–", "–", "–", "–", "–", f"{item.state}: {item.reason}"]
    rows = {row.name: row for row in item.comparison.rows}
    p50, peak = rows[P50], rows[PEAK]
    return [
        item.board,
        number(p50.a, 3),
        number(p50.b, 3),
        number(item.comparison.p50_ratio, 3, "x"),
        interval(item.comparison.interval, 3) or "–",
        number(peak.b, 1),
        item.comparison.verdict,
    ]


def _gates(gates: Sequence[Limit], of: str = "") -> None:
    for gate in gates:
        note = f" ({gate.note})" if gate.note else ""
        say_wrapped(f"gate: {of}{gate.words}{note}")
