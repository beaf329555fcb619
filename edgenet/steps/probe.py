"""Ask a board what it is, and which target that makes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgenet.devices.device import connect
from edgenet.devices.match import Match, match
from edgenet.errors import LibraryError
from edgenet.files import write_atomic
from edgenet.library import names
from edgenet.progress import Progress, silent
from edgenet.steps.events import board_events
from edgenet.target import ISA, Target

__all__ = ["board_target", "probe", "target_text", "write_target"]


def probe(device: str, progress: Progress = silent) -> Mapping[str, Any]:
    """The facts of a board (docs/agent-protocol.md, ``probe``).

    Args:
        device: "local", ``user@host[:port]`` or an alias of the user's ssh config.
        progress: Told where the board takes its time.

    Raises:
        ConnectionFailed, ConnectionLost: The board cannot be reached, or does not answer.
    """
    with connect(device, board_events(progress)) as agent:
        return agent.facts()


def board_target(facts: Mapping[str, Any], device: str = "") -> Match:
    """The target of edgenet's own that a board with these facts is or is nearest to.

    Args:
        facts: The board's.
        device: What the user wrote; an unknown ``local`` is the target "local".
    """
    found = match(facts, (Target.load(name) for name in names("target")))
    if not found.known and device == "local":
        return Match("local", "this machine", True, "--device local")
    return found


def write_target(path: Path | str, facts: Mapping[str, Any]) -> Path:
    """Save facts as a target file, named after the file's stem; ``Target.load(path)`` reads it back.

    Raises:
        LibraryError: The name does not end in .toml, or cannot be written.
    """
    path = Path(path)
    if path.suffix != ".toml":
        raise LibraryError(f"{path}: a target is a .toml file", f"save it as {path.with_suffix('.toml')}")
    try:
        write_atomic(path, target_text(path.stem, facts).encode())
    except OSError as error:
        raise LibraryError(f"{path}: cannot be written ({error.strerror})", "choose another folder") from None
    return path


def target_text(name: str, facts: Mapping[str, Any]) -> str:
    """A target file for a board with these facts; what can run there is taken from its nearest target."""
    found = board_target(facts)
    base = Target.load(found.target) if found.target else Target.load("local")
    board, clock = facts.get("board") or facts.get("os") or name, facts.get("clock_max_mhz")
    lines = [
        f"# Read from the board by edgenet probe; {found}",
        f"name = {_value(name)}",
        f"title = {_value(str(board))}",
        f"verified = {_value(facts.get('emulated') is not True)}",
        f"sources = {_value(['the board itself'])}",
        f"default_precision = {_value(base.default_precision)}",
        f"memory_mb = {_value([round(facts['memory_mb'])] if facts.get('memory_mb') else [])}",
        f"board_models = {_value([facts['board']] if facts.get('board') else [])}",
        "",
        "[cpu]",
        f"machine = {_value(str(facts.get('machine')))}",
        f"core = {_value(str(facts.get('cpu') or ''))}",
        f"cores = {_value(int(facts.get('cores') or 0))}",
        f"clock_mhz = {_value(int(clock) if clock else 0)}",
        f"isa = {_value([item for item in facts.get('isa', []) if item in ISA])}",
    ]
    for backend, support in base.backends.items():
        lines += ["", f"[backends.{backend}]", f"precisions = {_value(list(support.precisions))}"]
        lines += [f"built = {_value(support.built)}"] if support.built != "host" else []
        lines += [f"versions = {_value(list(support.versions))}"] if support.versions else []
        if support.refused:
            items = ", ".join(f"{_value(key)} = {_value(why)}" for key, why in support.refused.items())
            lines.append(f"refused = {{ {items} }}")
    return "\n".join([*lines, "", "[os]", f"images = {_value([_system(facts)])}", ""])


def _system(facts: Mapping[str, Any]) -> str:
    release = f", L4T {facts['l4t']}" if facts.get("l4t") else ""
    return f"{facts.get('os')}{release}: Python {facts.get('python')}, glibc {facts.get('glibc')}"


def _value(value: object) -> str:
    """A TOML value; JSON writes strings, numbers, booleans and flat lists as TOML does."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
