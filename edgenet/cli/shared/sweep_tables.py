"""A sweep in the terminal: the answers, the cells that are worth having, and what became of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edgenet.cli.shared.output import print_table, say
from edgenet.swept import STATES, Sweep
from edgenet.views.sweep_order import board_names, devices, in_order, ranks
from edgenet.views.sweep_saved import saved_words
from edgenet.views.sweep_table import Column, columns
from edgenet.views.sweep_words import counted, cut

__all__ = ["show_sweep", "sweep_columns", "sweep_lines", "sweep_rows"]

# What stands on the page and in the CSV alone: a terminal is narrow.
LEFT_OUT = ("board", "model FPS", "as on the host", "artifact MB", "million MACs", "reason")
REASON, REASONS = 160, 3
ENDED = {"pending": "not reached", "emulated": "EMULATED"}


def show_sweep(sweep: Sweep) -> None:
    """Print it, board by board; the answers last, where they are seen."""
    names = board_names(sweep)
    for device in devices(sweep):
        if rows := sweep_rows(sweep, device):
            title = f"{names[device]}: none is both faster and more accurate"
            print_table(title, sweep_columns(sweep), rows)
        say(*(f"{names[device]}: {line}" for line in sweep_lines(sweep, device)))
    say(*saved_words(sweep), "", *(item.sentence for item in sweep.answers))


def sweep_columns(sweep: Sweep) -> list[str]:
    """The heads of the columns that :func:`sweep_rows` fills."""
    return [item.head for item in _columns(sweep)]


def sweep_rows(sweep: Sweep, device: str) -> list[list[str]]:
    """A board's answer and its front, a row a cell."""
    shown, rank = _columns(sweep), ranks(sweep)
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


def _columns(sweep: Sweep) -> Sequence[Column]:
    return [item for item in columns(sweep) if item.head not in LEFT_OUT]
