"""Bundle → board, where it becomes the current one."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from edgenet.agent import wire
from edgenet.board import BoardLike, board_of
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.answers import Finished
from edgenet.devices.connect import connect
from edgenet.devices.replies import BoardError
from edgenet.devices.upkeep_answers import Switched
from edgenet.files import sha256
from edgenet.notebook import Shown
from edgenet.progress import Progress, silent
from edgenet.steps.events import board_events
from edgenet.steps.noted import failures_noted
from edgenet.steps.stage import TOOL, Staged, armored, stage
from edgenet.steps.taken import BundleLike, bundle_of

__all__ = ["Deployment", "deploy", "deployed", "made_current", "switched", "there_already"]


@dataclass(frozen=True)
class Deployment(Shown):
    """What :func:`deploy` did.

    Attributes:
        device: The board, as the user wrote it.
        digest: The bundle's digest, which names it on the board.
        name: Model, backend and precision.
        runtime: Version of the runtime that will run it.
        changed: Whether the board's current deployment is another than before.
        bytes_sent: Everything sent to the board, the agent and messages included.
        seconds: Wall time.
        removed: What the board removed to make room, in words.
        finished: What the board made of it, where the board finishes it; else ``None``.
    """

    device: str
    digest: str
    name: str
    runtime: str
    changed: bool
    bytes_sent: int
    seconds: float
    removed: tuple[str, ...] = ()
    finished: Finished | None = None

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def deploy(
    bundle: BundleLike, device: BoardLike = "local", progress: Progress = silent, offline: bool = False
) -> Deployment:
    """Make a bundle the board's current deployment.

    Only what the board lacks is sent; an interrupted transfer goes on where it stopped; until everything
    is there, checked, and answers the bundle's golden images as this machine did, the old one stays current.

    Args:
        bundle: What `compile` made, or its file.
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        progress: Called for every stage.
        offline: Send only runtimes whose wheels were fetched before (`edgenet wheelhouse`).

    Raises:
        ConnectionFailed, ConnectionLost: The board cannot be reached, or went away.
        DeviceError: It has no room, no fitting runtime, cannot run it, too little memory to finish it, or
            another deploy is under way.

    Examples:
        >>> edgenet.deploy("signs.edgenet", "local").name
        'signs.onnxruntime.int8'
    """
    bundle, board = bundle_of(bundle), board_of(device)
    began = time.perf_counter()
    progress(f"connecting to {board}", 0, None)
    with connect(board, board_events(progress)) as agent:
        return deployed(agent, bundle, str(board), began, progress, offline)


def deployed(
    agent: Agent, bundle: Bundle, name: str, began: float, progress: Progress = silent, offline: bool = False
) -> Deployment:
    """:func:`deploy` on a board that answers.

    Args:
        agent: On the board.
        bundle: What it shall run.
        name: The board's, for messages.
        began: When the work began, on ``time.perf_counter``'s clock.
        progress: Called for every stage.
        offline: As for :func:`deploy`.

    Raises:
        ConnectionLost, DeviceError: As for :func:`deploy`.
    """
    if there := there_already(agent, bundle, progress):
        return switched(agent, there, name, began)
    with failures_noted(agent, bundle):
        staged = stage(agent, bundle, name, progress, offline)
    return made_current(agent, bundle, staged, name, began)


def there_already(agent: Agent, bundle: Bundle, progress: Progress = silent) -> Switched | None:
    """Make a bundle the current one by one small request, where the board has all of it and it is whole.

    Args:
        agent: On the board.
        bundle: What it shall run.
        progress: Called where the board takes its time.

    Returns:
        ``None`` where it has to be staged: it is not there, not whole, was deployed by another edgenet, is
        signed otherwise there, or the board finishes it.

    Raises:
        BoardError: ``locked``: another deploy is under way.
    """
    if bundle.manifest.artifact.build is not None:
        return None  # an engine that is built again has to prove itself
    signature = armored(bundle)
    try:
        found = agent.upkeep.switch(bundle.digest, "deploy", progress=board_events(progress), tool=TOOL)
    except BoardError as error:
        if error.kind == wire.LOCKED:
            raise
        return None
    same = signature is None or found.signature == sha256(signature.encode())
    return found if same else None


def made_current(agent: Agent, bundle: Bundle, staged: Staged, device: str, began: float) -> Deployment:
    """Make a staged bundle the board's current deployment.

    Args:
        agent: On the board.
        bundle: What was staged.
        staged: What that gave.
        device: The board, as the user wrote it.
        began: When the work began, on ``time.perf_counter``'s clock.
    """
    changed = agent.deploy(staged.manifest)
    return Deployment(
        device=device,
        digest=bundle.digest,
        name=bundle.name,
        runtime=staged.runtime.version,
        changed=changed,
        bytes_sent=agent.bytes_sent,
        seconds=time.perf_counter() - began,
        removed=tuple(agent.removed),
        finished=staged.finished,
    )


def switched(agent: Agent, found: Switched, device: str, began: float) -> Deployment:
    """What came of a board's switch to a build that it had; arguments as of :func:`made_current`."""
    return Deployment(
        device=device,
        digest=found.digest,
        name=found.name,
        runtime=found.runtime_version or "of the board",
        changed=found.changed_,
        bytes_sent=agent.bytes_sent,
        seconds=time.perf_counter() - began,
    )
