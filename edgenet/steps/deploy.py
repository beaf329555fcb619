"""Bundle → board: the artifact and, where the board lacks it, the runtime."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgenet.bundle import Bundle
from edgenet.devices.agent import Blob
from edgenet.devices.device import connect
from edgenet.devices.runtimes import RuntimeChoice, ensure_runtime
from edgenet.progress import Progress, silent
from edgenet.steps.events import board_events
from edgenet.steps.finish import board_file, finish, own_version

__all__ = ["Deployment", "deploy"]


@dataclass(frozen=True)
class Deployment:
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
        finished: What the board made of it, where the board finishes it: ``cached``, ``reason``, ``seconds``,
            ``size`` (bytes), ``tensorrt``, ``gpu``, ``sm``; else ``None``.
    """

    device: str
    digest: str
    name: str
    runtime: str
    changed: bool
    bytes_sent: int
    seconds: float
    removed: tuple[str, ...] = ()
    finished: Mapping[str, Any] | None = None

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def deploy(
    bundle: Bundle | Path | str, device: str = "local", progress: Progress = silent, offline: bool = False
) -> Deployment:
    """Make a bundle the board's current deployment.

    Only what the board lacks is sent; an interrupted transfer goes on where it stopped; until everything
    is there, checked and ran once, the old deployment stays current.

    Args:
        bundle: What `compile` made.
        device: "local", ``user@host[:port]`` or an ssh alias.
        progress: Told of every stage.
        offline: Send only runtimes whose wheels were fetched before (`edgenet wheelhouse build`).

    Raises:
        ConnectionFailed, ConnectionLost: The board cannot be reached, or went away.
        DeviceError: It has no room, no fitting runtime, cannot run it, too little memory to finish it, or
            another deploy is under way.
    """
    bundle = bundle if isinstance(bundle, Bundle) else Bundle.load(bundle)
    began = time.perf_counter()
    progress("connect", 0, None)
    with connect(device) as agent:
        name, on_board = (
            bundle.manifest["artifact"]["file"],
            bundle.manifest["artifact"].get("build") is not None,
        )
        if on_board:
            name = board_file(bundle, own_version(bundle.manifest["backend"], agent.facts(), device))
        agent.begin()
        artifact = _blob(bundle, name)
        agent.send_blobs([artifact], board_events(progress))
        _, deployed = agent.deployments()
        proven = {item.get("runtime") for item in deployed if item.get("digest") == bundle.digest}
        made: dict[str, Any] = {}

        def prove(choice: RuntimeChoice) -> None:
            """Run it once before it becomes current, unless it ran there before."""
            manifest = _manifest(bundle, artifact, choice.digest)
            if on_board:
                made.update(finish(agent, manifest, board_events(progress)))
            if choice.digest not in proven or not made.get("cached", True):
                progress("run once", 0, None)
                agent.open(None, 1, manifest).close()

        runtime = ensure_runtime(agent, bundle.manifest["backend"], board_events(progress), prove, offline)
        changed = agent.deploy(_manifest(bundle, artifact, runtime.digest))
        return Deployment(
            device=device,
            digest=bundle.digest,
            name=bundle.name,
            runtime=runtime.version,
            changed=changed,
            bytes_sent=agent.bytes_sent,
            seconds=time.perf_counter() - began,
            removed=tuple(agent.removed),
            finished=made or None,
        )


def _blob(bundle: Bundle, name: str) -> Blob:
    """A file of the bundle as the board gets it."""
    data = bundle.files[name]
    return Blob(bundle.manifest["files"][name]["sha256"], len(data), lambda: io.BytesIO(data))


def _manifest(bundle: Bundle, artifact: Blob, runtime: str | None) -> Mapping[str, Any]:
    """What the board keeps of a bundle (docs/agent-protocol.md, ``deploy``)."""
    whole = bundle.manifest
    output = whole["artifact"]["output"]
    background = ["background"] * whole["label_offset"] if whole["labels"] else []
    return {
        "digest": bundle.digest,
        "name": bundle.name,
        "backend": whole["backend"],
        "artifact": artifact.digest,
        "artifact_size": artifact.size,
        "build": whole["artifact"].get("build"),
        "input": {key: whole["artifact"]["input"][key] for key in ("shape", "dtype")},
        "output": {key: output[key] for key in ("dtype", "scale", "zero_point")},
        "preprocessing": whole["preprocessing"],
        "labels": background + whole["labels"],
        "runtime": runtime,
    }
