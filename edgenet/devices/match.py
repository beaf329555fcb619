"""Which of the known boards a board is, from its facts alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from edgenet.facts import Facts
from edgenet.target import ISA, Target

__all__ = ["Match", "match"]


@dataclass(frozen=True)
class Match:
    """What a board was taken for.

    Attributes:
        target: Name of the target, or of the nearest one; ``None`` where none has this kind of processor.
        title: What people call that board.
        known: Whether the board itself says so; otherwise the target is only the nearest.
        why: The fact that decided, or in what the nearest differs.
    """

    target: str | None
    title: str
    known: bool
    why: str

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def __str__(self) -> str:
        """One line for people."""
        if self.known:
            return f"{self.title} ({self.target})"
        near = f"nearest target {self.target}; {self.why}" if self.target else self.why
        return f"unknown board: {near}"


def match(facts: Facts, targets: Iterable[Target]) -> Match:
    """The target that a board is, or else the nearest one with the same kind of processor.

    What decides, in this order: the device tree's exact name, the module's identifier, the model's
    name; and for the nearest the core design, then the instruction set, then the number of cores.
    """
    boards = [target for target in targets if target.name != "local"]
    for target in boards:
        if name := _says(facts, target):
            return Match(target.name, target.title, True, name)
    alike = [target for target in boards if target.cpu.machine == facts.machine]
    if not alike:
        return Match(None, "", False, f"no target has a {facts.machine} processor")
    nearest = min(alike, key=lambda target: _distance(facts, target))
    return Match(nearest.name, nearest.title, False, _differences(facts, nearest))


def _says(facts: Facts, target: Target) -> str:
    """The words in which the board says that it is this target, or nothing."""
    for name in facts.compatible:
        if name in target.identity.compatible:
            return name
    if facts.module is not None and facts.module.startswith(target.identity.modules):
        return f"module {facts.module}"
    if facts.board is not None and facts.board.startswith(target.identity.board_models):
        return facts.board
    return ""


def _distance(facts: Facts, target: Target) -> tuple[bool, int, int]:
    return (
        target.cpu.core not in (facts.cpu or ""),
        len(set(_known_isa(facts)) ^ set(target.cpu.isa)),
        abs(target.cpu.cores - facts.cores),
    )


def _differences(facts: Facts, target: Target) -> str:
    parts = []
    if target.cpu.core not in (facts.cpu or ""):
        parts.append(f"it has {facts.cpu or 'an unknown core'}, not {target.cpu.core}")
    if isa := sorted(set(_known_isa(facts)) ^ set(target.cpu.isa)):
        parts.append(f"they differ in {' '.join(isa)}")
    return ", ".join(parts) or f"both have {target.cpu.core}"


def _known_isa(facts: Facts) -> list[str]:
    """The features that targets speak of; the agent tells more."""
    return [name for name in facts.isa if name in ISA]
