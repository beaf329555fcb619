"""The life of a board, asked and changed from the host (docs/agent-protocol.md, Upkeep)."""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from edgenet.agent import wire
from edgenet.devices.channel import OnEvent
from edgenet.devices.upkeep_answers import BoardStatus, Checked, Noted, Placed, Removed, Switched
from edgenet.record import Record

__all__ = ["Upkeep", "sender"]

_R = TypeVar("_R", bound=Record)
# Lines of the history that a status brings.
LINES = 50


class _Ask(Protocol):
    """A request, and its reply as a type."""

    def __call__(
        self, answer: type[_R], kind: str, header: Mapping[str, Any], progress: OnEvent | None = None
    ) -> _R:
        """As of an agent."""


class Upkeep:
    """What an agent can be asked about the deployments of its board. No byte of a model is sent.

    Args:
        ask: The agent's.
    """

    def __init__(self, ask: _Ask) -> None:
        self._ask = ask

    def status(self, lines: int = LINES) -> BoardStatus:
        """What is there, what is current, and how it came.

        Args:
            lines: Of its history, at most 200.
        """
        return self._ask(BoardStatus, wire.STATUS, {"lines": lines})

    def place(self, manifest: Mapping[str, Any]) -> Placed:
        """Complete a bundle's folder on the board without making it current; needs ``begin`` and its blobs.

        Raises:
            BoardError: ``missing``, ``damaged``, ``no-space``.
        """
        return self._ask(Placed, wire.PLACE, {"manifest": dict(manifest), **sender()})

    def check(self, manifest: Mapping[str, Any], command: str, timeout_s: float) -> Checked:
        """Run a command of the user's on the board, by its ``sh``, in the deployment's folder.

        Args:
            manifest: Of a deployment that was placed.
            command: It finds the artifact by ``EDGENET_ARTIFACT``, the manifest by ``EDGENET_MANIFEST``.
            timeout_s: Then it is ended, with all that it started.
        """
        asked = {"digest": manifest["digest"], "command": command, "timeout_s": timeout_s, "wait": timeout_s}
        return self._ask(Checked, wire.CHECK, asked)

    def switch(
        self,
        digest: str | None = None,
        what: str = "switch",
        wait: float = 5.0,
        progress: OnEvent | None = None,
        tool: str | None = None,
    ) -> Switched:
        """Make a deployment that is on the board the current one, once all that it needs was checked there.

        Takes the deploy lock, and gives it back.

        Args:
            digest: Its digest, or how that begins; None for the one before the current one.
            what: The word for it in the board's history.
            wait: How long another deploy may hold the lock before this one gives up, seconds.
            progress: As for :meth:`edgenet.devices.agent.Agent.finish`.
            tool: Only to one that this edgenet deployed: ``missing`` otherwise. Failing is no news then, and
                the board's history does not tell it.

        Raises:
            BoardError: ``missing``, ``damaged``, ``damaged-runtime``, ``import``, ``locked``, ``no-space``;
                what was current still is.
        """
        asked = {"digest": digest, "what": what, "wait": wait, "tool": tool, **sender()}
        return self._ask(Switched, wire.SWITCH, asked, progress)

    def prune(self, keep: int) -> tuple[str, ...]:
        """Forget all deployments but the current one and the newest others, and all that nothing uses.

        Args:
            keep: How many stay, at least 1.

        Returns:
            What was removed, in words.
        """
        return self._ask(Removed, wire.PRUNE, {"keep": keep, **sender()}).removed

    def remove(self, digest: str, force: bool = False) -> tuple[str, ...]:
        """Forget one deployment and what it alone uses.

        Args:
            digest: Its digest, or how that begins.
            force: Also where it is the current one; the board has none then.

        Returns:
            What was removed, in words.

        Raises:
            BoardError: ``missing``; ``current``: it is the current one.
        """
        return self._ask(Removed, wire.REMOVE, {"digest": digest, "force": force, **sender()}).removed

    def note(
        self,
        what: str,
        digest: str,
        result: str,
        told: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        """Add a line to the board's history.

        Args:
            what: One word, lower-case.
            digest: Of the bundle that it is about.
            result: "ok", or why not.
            told: A small mapping beside it, 4 KB at most.
            name: The bundle's, where it may not be deployed there.
        """
        asked = {"what": what, "digest": digest, "result": result[:300], "told": told, "name": name}
        self._ask(Noted, wire.NOTE, {**asked, **sender()})


def sender() -> dict[str, Any]:
    """Whose doing it is, and when, for the board's history: user and machine, where the system tells them."""
    try:
        who: str | None = getpass.getuser()
    except (OSError, KeyError):
        who = None
    return {"who": who, "host": socket.gethostname(), "at": round(time.time())}
