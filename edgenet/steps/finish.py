"""Have a board finish an artifact; and a clear word where it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgenet.agent import wire
from edgenet.backend import load_backend
from edgenet.devices.agent import Agent
from edgenet.devices.answers import Finished
from edgenet.devices.channel import OnEvent
from edgenet.devices.replies import BoardError
from edgenet.errors import DeviceError
from edgenet.facts import Facts

__all__ = ["finish", "own_version"]


def own_version(backend: str, facts: Facts, device: str) -> str:
    """The version of the board's own runtime; a board without one is refused before anything is sent.

    For a backend whose artifacts the board finishes: its runtime comes with the board's system.

    Raises:
        DeviceError: It is not there, or cannot be imported; the missing piece is named.
    """
    if backend in facts.runtimes:
        return facts.runtimes[backend]
    broken = facts.runtimes_broken.get(backend)
    remedy = load_backend(backend).remedy(bool(broken))
    if broken:
        raise DeviceError(f"{backend} on {device} cannot be used: {broken}", remedy)
    raise DeviceError(f"{facts.python_executable} on {device} has no {backend}", remedy)


def finish(agent: Agent, manifest: Mapping[str, Any], progress: OnEvent) -> Finished:
    """Have the board finish the artifact, or find it finished.

    Raises:
        DeviceError: It cannot; the board's own words and the remedy.
    """
    try:
        return agent.finish(manifest, progress)
    except BoardError as error:
        if error.kind != wire.DIED:
            raise
        # No other build of the runtime could be tried: it is the board's own.
        raise DeviceError(f"{error.what}, while it built the engine", error.remedy) from None
