"""What each board of a fleet is, held to what the fleet says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgenet.backend import backend_names
from edgenet.board import Board
from edgenet.devices.match import Match
from edgenet.facts import Facts
from edgenet.fleets.machines import Machines
from edgenet.progress import Progress
from edgenet.steps.kind import board_kind
from edgenet.steps.probe import board_target

__all__ = ["Probed", "probing"]


@dataclass(frozen=True)
class Probed:
    """One board's facts, and the target that it is or is nearest to."""

    facts: Facts
    match: Match

    def to_table(self) -> dict[str, Any]:
        """JSON-ready, as ``edgenet probe --json`` of this board alone."""
        return {**self.facts.to_table(), "target": self.match.to_table()}


def probing() -> Callable[[Board, Progress], Probed]:
    """What asks a board of a fleet what it is.

    Returns:
        Work for :func:`edgenet.fleets.each.each`; DeviceError where a board is not what its fleet says.
    """
    machines = Machines()

    def work(board: Board, progress: Progress) -> Probed:
        with machines.connected(board, progress) as agent:
            facts = agent.facts(backend_names())
        stated = board_kind(facts, board)
        found = board_target(facts, board.device)
        if stated is not None and stated.name != found.target:
            found = Match(stated.name, stated.title, True, "the fleet says so")
        return Probed(facts, found)

    return work
