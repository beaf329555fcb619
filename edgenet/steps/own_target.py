"""A board, as it is, as a target: nothing has to be saved before something is made for it."""

from __future__ import annotations

import re
import tomllib

from edgenet.backend import backend_names
from edgenet.board import Board, BoardLike, board_of
from edgenet.devices.connect import connect
from edgenet.errors import PlanError
from edgenet.facts import Facts
from edgenet.library import Table
from edgenet.pages import page
from edgenet.progress import Progress, silent
from edgenet.steps.events import board_events
from edgenet.steps.kind import board_kind
from edgenet.steps.probe import supported, target_text
from edgenet.target import Target

__all__ = ["own_target", "target_of_facts"]

# What processors' names hold beside the name: "Intel(R) N100 CPU @ 0.80GHz".
_TRADE = re.compile(r"\((?:R|TM)\)|\bCPU\b|\bProcessor\b|@.*", re.IGNORECASE)
LONGEST = 40


def own_target(device: BoardLike = "local", progress: Progress = silent) -> Target:
    """The target that a board is, or else one that is made of what it says of itself.

    Args:
        device: A board; "local", ``user@host[:port]`` or an alias of the user's ssh config.
        progress: Called where the board takes its time.

    Raises:
        ConnectionFailed, ConnectionLost: The board cannot be reached, or does not answer.
        DeviceError: It is not what it is stated to be.
        PlanError: No runtime fits it.

    Examples:
        >>> edgenet.own_target("local").name
        'local'
    """
    board = board_of(device)
    with connect(board, board_events(progress)) as agent:
        return target_of_facts(agent.facts(backend_names()), board)


def target_of_facts(facts: Facts, board: Board) -> Target:
    """As :func:`own_target`, for a board that was asked; a pure function but for the targets' files.

    One that is known and runs all that its target lists is that target. Another is named after its model, or
    its processor.
    """
    kind = board_kind(facts, board)
    if kind is not None and (board.target is not None or set(kind.backends) == set(supported(kind, facts))):
        return kind
    text = target_text(_name(facts, kind), facts)
    made = Target.from_table(Table(tomllib.loads(text), f"{board}, asked"))
    if not made.backends:
        raise PlanError(
            f"no runtime of edgenet fits {board}: {made.system.images[0]}, {facts.machine}",
            f"see edgenet doctor for the reasons ({page('troubleshooting', 'no-runtime-fits')})",
        )
    return made


def _name(facts: Facts, kind: Target | None) -> str:
    """The known kind and in what this one differs; else the model's name, or the processor's."""
    bits = "32-bit" if facts.python_bits == 32 else ""
    told = kind.name if kind else facts.board or _TRADE.sub(" ", facts.cpu or "") or facts.machine or "board"
    words = re.findall(r"[a-z0-9]+", f"{told} {bits}".lower())
    name = "-".join(words) or "board"
    return name if len(name) <= LONGEST else name[:LONGEST].rpartition("-")[0] or name[:LONGEST]
