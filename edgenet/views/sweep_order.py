"""Which boards and cells of a sweep stand first, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgenet.swept import STATES, Cell, Sweep

__all__ = ["ANSWER", "FRONT", "board_names", "devices", "in_order", "ranks", "sentences"]

ANSWER = "answer"
FRONT = "front"


def devices(sweep: Sweep) -> list[str]:
    """The boards, in the order of the answers; those without one follow."""
    every = (*(item.device for item in sweep.answers), *(cell.device for cell in sweep.cells))
    return list(dict.fromkeys(every))


def board_names(sweep: Sweep) -> Mapping[str, str]:
    """Device → what the board calls itself, with the device's name where two boards say the same."""
    told = {device: _called(sweep.boards.get(device), device) for device in devices(sweep)}
    told |= {answer.device: answer.board for answer in sweep.answers if answer.board}
    names = list(told.values())
    return {device: f"{name} ({device})" if names.count(name) > 1 else name for device, name in told.items()}


def _called(facts: Any, device: str) -> str:
    board = facts.get("board") if isinstance(facts, Mapping) else None
    return board if isinstance(board, str) and board else device


def sentences(sweep: Sweep) -> list[str]:
    """The answers' sentences, each beginning with a name that no other board has."""
    names = board_names(sweep)
    told = []
    for item in sweep.answers:
        own, rest = item.board or "", item.sentence.removeprefix(f"{item.board}:")
        told.append(f"{names[item.device]}:{rest}" if own and rest != item.sentence else item.sentence)
    return told


def ranks(sweep: Sweep) -> Mapping[tuple[str, str], str]:
    """(device, key) → "answer" or "front", of the cells that are one."""
    found = {(cell.device, cell.key): FRONT for device in devices(sweep) for cell in sweep.front(device)}
    return found | {(item.device, item.key): ANSWER for item in sweep.answers if item.key is not None}


def in_order(sweep: Sweep) -> list[Cell]:
    """Board by board: the answer, the front, then by state; the most accurate first."""
    rank, boards = ranks(sweep), {device: index for index, device in enumerate(devices(sweep))}

    def place(cell: Cell) -> tuple[int, int, float]:
        own = rank.get((cell.device, cell.key))
        ended = STATES.index(cell.state) if cell.state in STATES else len(STATES)
        first = -2 if own == ANSWER else -1 if own == FRONT else ended
        return boards[cell.device], first, -(cell.best_accuracy or 0.0)

    return sorted(sweep.cells, key=place)
