"""Board → whose signatures it asks for before a deployment becomes current."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from edgenet.board import BoardLike, board_of
from edgenet.devices.connect import connect
from edgenet.devices.trust import Trust, Trusted
from edgenet.errors import SignatureError
from edgenet.progress import Progress, silent
from edgenet.signatures.public_key import PublicKey
from edgenet.steps.events import board_events

__all__ = ["trust", "trusted", "untrust"]

# As the board reads it: one word of its list, and no pattern.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")


def trusted(device: BoardLike = "local", progress: Progress = silent) -> Trusted:
    """Whom a board trusts.

    Args:
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        progress: Called for every stage.

    Raises:
        ConnectionFailed, ConnectionLost: The board cannot be reached, or went away.

    Examples:
        >>> edgenet.trusted("pi@raspberrypi.local").asked  # doctest: +SKIP
    """
    return _asked(device, progress, Trust.keys)


def trust(
    key: Path | str | PublicKey, device: BoardLike = "local", name: str = "", progress: Progress = silent
) -> Trusted:
    """Have a board trust a key; from the first one on it makes only current what is signed by one it trusts.

    Args:
        key: The ``.pub`` file of an Ed25519 key; a private one is refused, and never sent.
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        name: What the key is called there; its comment.
        progress: Called for every stage.

    Raises:
        SignatureError: It is no Ed25519 public key.
        DeviceError: The board cannot verify signatures (OpenSSH 8.1 can), or has another key of that name.
        ConnectionFailed, ConnectionLost: The board cannot be reached, or went away.

    Examples:
        >>> edgenet.trust("alice.pub", "pi@raspberrypi.local").keys[0].name  # doctest: +SKIP
    """
    public = key if isinstance(key, PublicKey) else PublicKey.load(key)
    called = name or public.comment
    if not _NAME.match(called):
        raise SignatureError(
            f"{called!r} is no name for a key: letters, digits and ._@+-, 64 at most",
            "give one with --name, such as --name alice@team",
        )
    return _asked(device, progress, lambda trust: trust.add(called, public.line))


def untrust(name: str | None, device: BoardLike = "local", progress: Progress = silent) -> Trusted:
    """Have a board trust a key no longer, or ask for no signatures any more.

    Args:
        name: The key's name there, or ``SHA256:…``; ``None`` for all, and no signatures asked for.
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        progress: Called for every stage.

    Raises:
        DeviceError: There is no such key, or it is the last one.
        ConnectionFailed, ConnectionLost: The board cannot be reached, or went away.

    Examples:
        >>> edgenet.untrust("alice@team", "pi@raspberrypi.local")  # doctest: +SKIP
    """
    return _asked(device, progress, lambda trust: trust.off() if name is None else trust.remove(name))


def _asked(device: BoardLike, progress: Progress, work: Callable[[Trust], Trusted]) -> Trusted:
    board = board_of(device)
    progress(f"connecting to {board}", 0, None)
    with connect(board, board_events(progress)) as agent:
        return work(agent.trust)
