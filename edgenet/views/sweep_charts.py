"""Speed against accuracy: a drawing a board on the same axes, and what its colors and marks mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgenet.figures import percent
from edgenet.swept import MEASURED, Cell, Sweep
from edgenet.views.marks import precision_order, shape_of
from edgenet.views.scatter import scatter, symbol
from edgenet.views.scatter_axes import Axes, Mark, Span
from edgenet.views.sweep_order import ANSWER, board_names, devices, ranks
from edgenet.views.sweep_table import state_name
from edgenet.views.sweep_words import (
    accuracy_words,
    beside,
    cell_name,
    cut,
    drift_words,
    measure_name,
    network_name,
    speed,
)

__all__ = ["Panel", "legend", "panels"]

# The page has so many colors; further families share them.
COLORS = 8
LONGEST = 400


@dataclass(frozen=True)
class Panel:
    """One board's drawing with its heading; without one why there is none."""

    board: str
    svg: str
    note: str


def panels(sweep: Sweep, links: Mapping[tuple[str, str], str]) -> list[Panel]:
    """A drawing a board.

    Args:
        sweep: One in which boards have names of their own.
        links: (device, key) → where a click on a cell's mark leads.
    """
    rank, colors, names = ranks(sweep), _colors(sweep), board_names(sweep)
    marks = {device: [] for device in devices(sweep)}  # type: dict[str, list[Mark]]
    for cell in sweep.cells:
        mark = _mark(
            cell, sweep, colors, rank.get((cell.device, cell.key), ""), links[(cell.device, cell.key)]
        )
        marks[cell.device] += [mark] if mark else []
    axes = Axes.around([mark for own in marks.values() for mark in own], sweep.fps_line)
    return [_panel(sweep, device, names[device], own, axes) for device, own in marks.items()]


def legend(sweep: Sweep) -> list[tuple[str, str]]:
    """(symbol as SVG, what it means): colors of several families, marks of precisions, filled and hollow."""
    drawn = [cell for cell in sweep.cells if _place(cell)]
    if not drawn:
        return []
    used = {cell.family: _family(cell) for cell in drawn}
    families = [(used[name], color) for name, color in _colors(sweep).items() if name in used]
    families = families if len(families) > 1 else []
    precisions = sorted({cell.precision for cell in drawn}, key=precision_order)
    found = [(symbol("circle", color), cut(name, LONGEST // 10)) for name, color in families]
    found += [("", f"(colors repeat after {COLORS} families)")] if len(families) > COLORS else []
    found += [(symbol(shape_of(name)), cut(name, LONGEST // 10)) for name in precisions]
    found += [(symbol("circle"), "filled: sustained"), (symbol("circle", filled=False), "hollow: screened")]
    return found


def _family(cell: Cell) -> str:
    """A family's name; that of files is one of them."""
    if cell.family is None:
        return "other"
    return cell.family if cell.alpha is not None else f"like {cell.family}"


def _panel(sweep: Sweep, device: str, board: str, marks: Sequence[Mark], axes: Axes) -> Panel:
    name = measure_name(sweep.measure)
    if not marks:
        emulated = any(cell.state == "emulated" for cell in sweep.cells if cell.device == device)
        why = (
            "EMULATED: a simulation has no speed, so nothing is drawn."
            if emulated
            else (f"No cell has both a speed and a known {name}.")
        )
        return Panel(board, "", why)
    best = "; ".join(mark.title for mark in marks if mark.ringed or mark.front)
    says = f"{name} against FPS of {len(marks)} cells on {board}. Best trades: {best}"
    titles = ("FPS" + (", logarithmic" if axes.logarithmic else ""), f"{name}, %")
    return Panel(board, scatter(marks, axes, sweep.fps_line, titles, cut(says, 10 * LONGEST)), "")


def _place(cell: Cell) -> Span | None:
    """(FPS, accuracy in percent) of a cell that has both."""
    fps, best = speed(cell), percent(cell.best_accuracy)
    return None if fps is None or best is None else (fps, best)


def _mark(cell: Cell, sweep: Sweep, colors: Mapping[str | None, int], rank: str, link: str) -> Mark | None:
    place = _place(cell)
    if place is None:
        return None
    return Mark(
        *place, cell.fps.interval, _height(cell), colors[cell.family], shape_of(cell.precision),
        cell.fps.sustained is not None, _title(cell, sweep), link,
        network_name(cell) if rank else "", rank == ANSWER, rank != "" and _on_front(cell, sweep),
    )  # fmt: skip


def _on_front(cell: Cell, sweep: Sweep) -> bool:
    return cell in sweep.front(cell.device)


def _height(cell: Cell) -> Span | None:
    """The 95 % interval of its accuracy, in percent."""
    if cell.top1 is None:
        return None
    if cell.top1.kind == MEASURED:
        return (100.0 * cell.top1.interval[0], 100.0 * cell.top1.interval[1]) if cell.top1.interval else None
    if cell.drift is None or cell.drift.interval_pp is None:
        return None
    low, high = cell.drift.interval_pp
    return 100.0 * cell.top1.value + low, 100.0 * cell.top1.value + high


def _title(cell: Cell, sweep: Sweep) -> str:
    fps = speed(cell) or 0.0
    words = [
        f"{beside(fps, sweep.fps_line)} FPS {state_name(cell)}",
        accuracy_words(cell.top1, sweep.measure),
    ]
    return cut(
        f"{cell_name(cell)}: {', '.join(filter(None, [*words, drift_words(cell, whole=False)]))}", LONGEST
    )


def _colors(sweep: Sweep) -> Mapping[str | None, int]:
    """Family → number of its color, in the order of their names."""
    names = sorted({cell.family for cell in sweep.cells}, key=lambda name: name or "")
    return {name: index % COLORS for index, name in enumerate(names)}
