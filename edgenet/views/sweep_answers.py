"""The answers of a sweep, a card a board: what it is, what was measured of it, and the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.figures import interval, number, percent, share
from edgenet.swept import MEASURED, Answer, Cell, Sweep
from edgenet.views.parts import Tile
from edgenet.views.sweep_order import board_names
from edgenet.views.sweep_words import (
    beside,
    build_name,
    counted,
    cut,
    drift_words,
    measure_name,
    network_name,
    speed,
    threads_name,
)

__all__ = ["Card", "answers"]

# Of a foreign name; the sentence tells it whole.
LONGEST = 80


@dataclass(frozen=True)
class Card:
    """One board's answer.

    Attributes:
        board: What it calls itself.
        device: What the user calls it.
        state: "kept", "missed", or "emulated" where nothing can be said.
        headline: The network, or that there is none.
        build: How it is built; empty where none keeps the line.
        tiles: Its figures.
        sentence: All of it.
    """

    board: str
    device: str
    state: str
    headline: str
    build: str
    tiles: Sequence[Tile]
    sentence: str


def answers(sweep: Sweep) -> list[Card]:
    """The cards in the order of the answers."""
    names = board_names(sweep)
    cells = {(cell.device, cell.key): cell for cell in sweep.cells}
    return [
        _card(item, sweep, names[item.device], cells.get((item.device, item.key or "")))
        for item in sweep.answers
    ]


def _card(answer: Answer, sweep: Sweep, board: str, cell: Cell | None) -> Card:
    if cell is None:
        own = [item for item in sweep.cells if item.device == answer.device]
        timed = any(speed(item) is not None for item in own)
        emulated = not timed and any(item.state == "emulated" for item in own)
        state, headline = ("emulated", "EMULATED") if emulated else ("missed", "None")
        return Card(board, answer.device, state, headline, "", (), answer.sentence)
    build = cut(f"{build_name(cell)}, {threads_name(cell)}", LONGEST)
    tiles = [*_speed(cell, answer.fps_line), _accuracy(cell, sweep.measure), *_memory(cell)]
    return Card(board, answer.device, "kept", cut(network_name(cell), LONGEST), build, tiles, answer.sentence)


def _speed(cell: Cell, line: float) -> list[Tile]:
    fps = speed(cell)
    if fps is None:
        return []
    held = "sustained" if cell.fps.sustained is not None else "screened, not run long"
    spread = (
        f"95 % interval {interval(cell.fps.interval, 1)}; asked for {line:g}" if cell.fps.interval else ""
    )
    doubt = f"; {cell.verdict}" if cell.verdict and cell.verdict != "VALID" else ""
    tiles = [Tile(held + doubt, beside(fps, line), "FPS", spread)]
    if cell.p99_ms is not None:
        budget = 1e3 / line
        kept = "within" if cell.p99_ms <= budget else "OVER"
        note = f"{kept} the {budget:.1f} ms of a frame at {line:g} FPS"
        tiles.append(Tile("99 of 100 frames within", beside(cell.p99_ms, budget), "ms", note))
    return tiles


def _accuracy(cell: Cell, measure: str) -> Tile:
    name, best = measure_name(measure), percent(cell.best_accuracy)
    if best is None or cell.top1 is None:
        return Tile(name, "–", "", "not known")
    drift = drift_words(cell, whole=False)
    if cell.top1.kind == MEASURED:
        on = f" on {counted(cell.top1.images, 'image')}" if cell.top1.images else ""
        return Tile(f"{name}, measured{on}", number(best, 1), "%", drift)
    known = f"{share(cell.top1.value)} {cell.top1.kind} in float"
    return Tile(f"{name}, {cell.top1.kind}", number(best, 1), "%", f"{known}; {drift}" if drift else known)


def _memory(cell: Cell) -> list[Tile]:
    return [] if cell.memory_mb is None else [Tile("peak memory", number(cell.memory_mb, 0), "MB")]
