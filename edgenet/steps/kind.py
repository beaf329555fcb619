"""What a board is: what somebody says, held to its facts, else what it says itself."""

from __future__ import annotations

from edgenet.board import Board
from edgenet.devices.match import match
from edgenet.errors import DeviceError
from edgenet.facts import Facts
from edgenet.steps.probe import board_target
from edgenet.target import Target

__all__ = ["board_kind", "family"]

# Processors of one family run each other's programs, or have runtimes for the same artifacts.
FAMILIES = {
    "aarch64": "Arm", "armv8l": "Arm", "armv7l": "Arm", "armv6l": "Arm",
    "x86_64": "x86", "amd64": "x86", "i686": "x86",
}  # fmt: skip


def board_kind(facts: Facts, board: Board) -> Target | None:
    """The target that a board is: the stated one, else the one that it says it is; ``None`` if neither.

    Raises:
        DeviceError: What is stated contradicts the facts; both are named.
        LibraryError: There is no such target.
    """
    found = board_target(facts, board.device)
    own = Target.load(found.target) if found.known and found.target else None
    if board.target is None:
        return own
    stated = Target.load(board.target)
    if (own is not None and own.name == stated.name) or match(facts, [stated]).known:
        return stated
    if why := _contradiction(stated, facts, own if own and own.name != "local" else None):
        raise DeviceError(
            f"{board} is given as {stated.title} ({stated.name}), and {why}",
            "correct its target where it is given, or leave it out: edgenet asks the board",
        )
    return stated


def _contradiction(stated: Target, facts: Facts, own: Target | None) -> str:
    """In what a board is not what somebody says; empty if it may be."""
    names = (*stated.identity.compatible, *stated.identity.board_models, *stated.identity.modules)
    if own is not None and names:
        return f"it says that it is {facts.board or own.title} ({own.name})"
    if family(facts.machine) != family(stated.cpu.machine):
        return f"it has a {facts.machine} processor, not {stated.cpu.machine}"
    if lacking := [name for name in stated.cpu.isa if name not in facts.isa]:
        return f"its processor ({facts.cpu or facts.machine}) has no {' '.join(lacking)}"
    return ""


def family(machine: str | None) -> str:
    """The family of processors that a machine, as ``uname -m`` says it, is of."""
    return FAMILIES.get(str(machine).lower(), str(machine))
