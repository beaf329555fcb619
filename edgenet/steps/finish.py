"""Which file of a bundle a board gets, where the board finishes it; and a clear word where it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgenet.agent import wire
from edgenet.backends.tensorrt import form_of
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.channel import OnEvent
from edgenet.devices.replies import BoardError
from edgenet.errors import DeviceError, PlanError

__all__ = ["board_file", "finish", "own_version"]


def own_version(backend: str, facts: Mapping[str, Any], device: str) -> str:
    """The version of the board's own runtime; a board without one is refused before anything is sent.

    TensorRT comes with the board's system: no wheel of it is ever sent.

    Raises:
        DeviceError: It is not there, or cannot be imported; the missing piece is named.
    """
    if backend in facts.get("runtimes", {}):
        return str(facts["runtimes"][backend])
    broken = facts.get("runtimes_broken", {}).get(backend)
    python = facts.get("python_executable")
    if broken:
        raise DeviceError(
            f"{backend} on {device} cannot be used: {broken}",
            "install what is missing there (docs/tensorrt.md), or choose another backend",
        )
    raise DeviceError(
        f"{python} on {device} has no {backend}",
        "on a Jetson: sudo apt install python3-libnvinfer (docs/tensorrt.md), or choose another backend",
    )


def finish(agent: Agent, manifest: Mapping[str, Any], progress: OnEvent) -> dict[str, Any]:
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


def board_file(bundle: Bundle, version: str) -> str:
    """The name of the bundle's file for a board's runtime.

    Args:
        bundle: One that the board finishes.
        version: The runtime's, as the board tells it, such as "tensorrt 8.2.1.8".

    Raises:
        DeviceError: The bundle has no graph for it.
    """
    graphs = (bundle.manifest.artifact.build or {}).get("graphs", {})
    try:
        form = form_of(version)
    except PlanError as error:
        raise DeviceError(error.what, error.remedy) from None
    if form not in graphs:
        made_for = "8" if "8" in graphs else "10 and 11"
        raise DeviceError(
            f"the bundle was compiled for TensorRT {made_for}, the board has {version}",
            "compile again for a target whose `versions` name it",
        )
    return str(graphs[form])
