"""What a board needs to run a bundle: its artifact and, where the board lacks it, the runtime."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

from edgenet import __version__
from edgenet.agent.signed.kept import kept
from edgenet.backend import load_backend
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.answers import Finished
from edgenet.devices.blobs import Blob
from edgenet.devices.runtimes import RuntimeChoice, check_runtime, ensure_runtime
from edgenet.progress import REMARK, Progress
from edgenet.signatures.ssh_signature import SshSignature
from edgenet.steps.events import board_events
from edgenet.steps.finish import finish, own_version
from edgenet.verify.expected import encoder_for, golden_images
from edgenet.verify.health import SHOWN, check_health, other_pixels

__all__ = ["TOOL", "Staged", "armored", "brought", "stage"]

# What a board's manifest says of who deployed: another edgenet may know better runtimes.
TOOL = f"edgenet {__version__}"
# What runs a bundle before that is decided.
NONE_YET = RuntimeChoice(None, "", ())


class Staged(NamedTuple):
    """A bundle that a board can run.

    Attributes:
        manifest: What the board keeps of it (docs/agent-protocol.md, Deploying).
        runtime: What runs it there.
        finished: What the board made of it, where the board finishes it, else ``None``.
    """

    manifest: Mapping[str, Any]
    runtime: RuntimeChoice
    finished: Finished | None


def stage(
    agent: Agent,
    bundle: Bundle,
    device: str,
    progress: Progress,
    offline: bool = False,
    to_stay: bool = True,
) -> Staged:
    """Send what the board lacks and check its answers, unless that was done; takes the deploy lock.

    The board's current deployment stays what it is.

    Args:
        agent: On the board.
        bundle: What it shall run.
        device: The board's name, for messages.
        progress: Called for every stage.
        offline: As for :func:`edgenet.steps.deploy.deploy`.
        to_stay: Whether it may become the current one. What the board would then refuse, because no key that
            it trusts signed it, is refused before the board loads anything of it.

    Raises:
        DeviceError: No room, no fitting runtime, it cannot run or answers otherwise than here, too little
            memory to finish it, another deploy is under way, or it is not signed as the board asks.
        SignatureError: What lies beside the bundle is no signature.
    """
    name = bundle.manifest.artifact.file
    on_board = bundle.manifest.artifact.build is not None
    if on_board:
        version = own_version(bundle.manifest.backend, agent.facts([bundle.manifest.backend]), device)
        name = load_backend(bundle.manifest.backend).board_file(bundle.manifest.artifact, version)
    else:
        check_runtime(agent, bundle.manifest.backend, offline)
    signed_only = agent.begin()
    artifact = _blob(bundle, name)
    if to_stay:
        _prove(agent, _manifest(bundle, name, NONE_YET), bundle, signed_only)
    agent.send_blobs([artifact], board_events(progress))
    proven = {item.runtime for item in agent.deployments().deployments if item.digest == bundle.digest}
    made: Finished | None = None

    def prove(choice: RuntimeChoice) -> None:
        """Have it answer golden images before it becomes current, unless it did there before."""
        nonlocal made
        manifest = _manifest(bundle, name, choice)
        if on_board:
            made = finish(agent, manifest, board_events(progress))
        if choice.digest not in proven or (made is not None and not made.cached):
            progress("checking its answers on the board", 0, None)
            _check_answers(agent, bundle, manifest, device, progress)

    runtime = ensure_runtime(agent, bundle.manifest.backend, board_events(progress), prove, offline)
    return Staged(_manifest(bundle, name, runtime), runtime, made)


def _check_answers(
    agent: Agent, bundle: Bundle, manifest: Mapping[str, Any], device: str, progress: Progress
) -> None:
    """Have a build answer golden images on the board."""
    session = agent.open(None, 1, manifest)
    encode = encoder_for(session.loaded.decodes, bundle.manifest.preprocessing)
    images = golden_images(bundle, encode)[:SHOWN]
    if images:
        answers = list(session.replay(images))
        check_health(bundle, answers, device)
        if said := other_pixels(bundle, answers):
            progress(said, 0, REMARK)
    session.close()


def brought(agent: Agent, bundle: Bundle, device: str, progress: Progress) -> Mapping[str, Any]:
    """:func:`stage` for a measurement: what the board knows of the bundle, with the lock given back.

    Raises:
        DeviceError: As for :func:`stage`.
    """
    manifest = stage(agent, bundle, device, progress, to_stay=False).manifest
    agent.end()
    return manifest


def armored(bundle: Bundle) -> str | None:
    """The signature that lies beside a bundle, in the one form that boards keep; ``None`` for none.

    Raises:
        SignatureError: What lies there is no signature.
    """
    if bundle.signature is None:
        return None
    return SshSignature.parse(bundle.signature, f"the signature of {bundle.name}").armored().decode()


def _blob(bundle: Bundle, name: str) -> Blob:
    """A file of the bundle as the board gets it."""
    data = bundle.files[name]
    return Blob(bundle.manifest.files[name].sha256, len(data), lambda: io.BytesIO(data))


def _prove(agent: Agent, manifest: Mapping[str, Any], bundle: Bundle, signed_only: bool) -> None:
    """Send what a signature signs, and have a board that asks for signatures verify it."""
    if bundle.signature is not None:
        agent.send_blobs([Blob(bundle.digest, len(bundle.raw), lambda: io.BytesIO(bundle.raw))])
    if signed_only:
        agent.trust.prove(manifest)


def _manifest(bundle: Bundle, file: str, runtime: RuntimeChoice) -> Mapping[str, Any]:
    """What the board keeps of a bundle (docs/agent-protocol.md, ``deploy``)."""
    ran = {"runtime": runtime.digest, "runtime_version": runtime.version, "tool": TOOL}
    told = {**kept(bundle.manifest.to_table(), bundle.digest, file), **ran}
    return told if bundle.signature is None else {**told, "signature": armored(bundle)}
