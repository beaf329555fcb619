"""A sweep in the terminal: the answers, the cells that are worth having, and what became of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edgenet.cli.shared.output import print_table, say_wrapped, width
from edgenet.swept import STATES, Sweep
from edgenet.views.sweep_order import board_names, devices, in_order, ranks, sentences
from edgenet.views.sweep_saved import saved_words
from edgenet.views.sweep_table import Column, columns
from edgenet.views.sweep_words import counted, cut

__all__ = ["show_sweep", "sweep_columns", "sweep_lines", "sweep_rows"]

# What stands on the page and in the CSV alone: a terminal is narrow.
LEFT_OUT = ("board", "model FPS", "as on the host", "artifact MB", "million MACs", "reason")
# And what a terminal leaves out that is too narrow for it, the first first; sentences tell it too.
NARROW = ("memory MB", "over the answer", "known by", "drift", "state", "threads", "rank", "p99 ms")
EDGES, GAP = 0, 3
REASON, REASONS = 160, 3
ENDED = {"pending": "not reached", "emulated": "EMULATED"}


def show_sweep(sweep: Sweep) -> None:
    """Print it, board by board; the answers last, where they are seen."""
    names = board_names(sweep)
    shown = sweep_columns(sweep, width())
    for device in devices(sweep):
        if rows := sweep_rows(sweep, device, shown):
            title = f"{names[device]}: no other network is both faster and more accurate"
            print_table(title, [item.head for item in shown], rows)
        say_wrapped(*(f"{names[device]}: {line}" for line in sweep_lines(sweep, device)))
    say_wrapped(*saved_words(sweep), "", *sentences(sweep))


def sweep_columns(sweep: Sweep, wide: int) -> list[Column]:
    """What a terminal shows of a cell, as much as there is room for.

    Args:
        sweep: Its boards' rows stand below each other in the same columns.
        wide: Characters in a line.
    """
    found = [item for item in columns(sweep) if item.head not in LEFT_OUT]
    told = [row for device in devices(sweep) for row in sweep_rows(sweep, device, found)]
    need = {
        item: max(len(text) for text in (item.head, *(row[index] for row in told)))
        for index, item in enumerate(found)
    }
    for name in NARROW:
        if EDGES + sum(need.values()) + GAP * (len(need) - 1) <= wide:
            break
        need = {item: most for item, most in need.items() if not item.head.endswith(name)}
    return list(need)


def sweep_rows(sweep: Sweep, device: str, shown: Sequence[Column]) -> list[list[str]]:
    """A board's answer and its front, a row a cell."""
    rank = ranks(sweep)
    best = [cell for cell in in_order(sweep) if cell.device == device and (device, cell.key) in rank]
    return [[item.tell(cell) or "–" for item in shown] for cell in best]


def sweep_lines(sweep: Sweep, device: str) -> list[str]:
    """What became of the board's other cells, and why most of those that failed did."""
    rank = ranks(sweep)
    rest = [cell for cell in sweep.cells if cell.device == device and (device, cell.key) not in rank]
    if not rest:
        return []
    found = Counter(cell.state for cell in rest)
    order = [*STATES, *(state for state in found if state not in STATES)]
    told = [f"{found[state]:,} {ENDED.get(state, state)}" for state in order if found[state]]
    lines = [f"{counted(len(rest), 'other cell')}: {', '.join(told)}"]
    reasons = Counter(cell.reason for cell in rest if cell.state == "failed" and cell.reason)
    for reason, count in reasons.most_common(REASONS):
        lines.append(f"{counted(count, 'cell')} failed: {cut(reason, REASON)}")
    return lines
