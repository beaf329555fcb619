"""A sweep's boards: what each is, asked once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgenet.backend import backend_names
from edgenet.board import Board
from edgenet.devices.connect import connect
from edgenet.facts import Facts
from edgenet.library import Table
from edgenet.steps.probe import board_target, target_text
from edgenet.target import Target

__all__ = ["Reached", "reach"]

# What tells one board from another, and one state of it from another that is as fast or slow.
IDENTITY = (
    "board",
    "machine",
    "cpu",
    "cores",
    "isa",
    "memory_mb",
    "power_mode",
    "governor",
    "os",
    "emulated",
)


@dataclass(frozen=True)
class Reached:
    """A board that answered.

    Attributes:
        device: As the user wrote it.
        facts: What it said.
        target: What is compiled for.
    """

    device: str
    facts: Facts
    target: Target

    @property
    def title(self) -> str:
        """What people call it: its own name, else its target's."""
        return self.facts.board or ("this machine" if self.device == "local" else self.target.title)

    def identity(self) -> Mapping[str, Any]:
        """What figures from there depend on, JSON-ready."""
        told = self.facts.to_table()
        return {"device": self.device} | {key: told.get(key) for key in IDENTITY}


def reach(board: Board) -> Reached:
    """Ask a board what it is.

    Raises:
        ConnectionFailed, ConnectionLost: It cannot be reached, or does not answer.
        LibraryError: The target that the plan names is not there, or the board tells too little to be one.
    """
    with connect(board) as agent:
        facts = agent.facts(backend_names())
    return Reached(board.device, facts, _target(board, facts))


def _target(board: Board, facts: Facts) -> Target:
    """The plan's, the one that the board says it is, or one made of its facts."""
    if board.target is not None:
        return Target.load(board.target)
    found = board_target(facts, board.device)
    if found.known and found.target:
        return Target.load(found.target)
    return Target.from_table(Table(tomllib.loads(target_text("board", facts)), board.device))
