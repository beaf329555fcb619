"""Ask a board what it is, and which target that makes it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from edgenet.backend import backend_names, load_backend
from edgenet.board import BoardLike, board_of
from edgenet.devices.candidates import fits, machine_of
from edgenet.devices.connect import connect
from edgenet.devices.match import Match, match
from edgenet.errors import LibraryError
from edgenet.facts import Facts
from edgenet.files import write_atomic
from edgenet.library import Table, names
from edgenet.progress import Progress, silent
from edgenet.steps.events import board_events
from edgenet.target import ISA, BackendSupport, Target
from edgenet.text import plain

__all__ = ["board_target", "probe", "supported", "target_text", "write_target"]


def probe(device: BoardLike = "local", progress: Progress = silent) -> Facts:
    """The facts of a board (docs/agent-protocol.md, ``probe``).

    Args:
        device: A board; "local", ``user@host[:port]`` or an alias of the user's ssh config.
        progress: Called where the board takes its time.

    Raises:
        ConnectionFailed, ConnectionLost: The board cannot be reached, or does not answer.

    Examples:
        >>> facts = edgenet.probe("local")
        >>> facts.cores > 0
        True
    """
    with connect(board_of(device), board_events(progress)) as agent:
        return agent.facts(backend_names())


def board_target(facts: Facts, device: str = "") -> Match:
    """The target in edgenet own that a board with these facts is or is nearest to.

    Args:
        facts: The board's.
        device: What the user wrote; an unknown ``local`` is the target "local".
    """
    found = match(facts, _own_targets())
    if not found.known and device == "local":
        return Match("local", "this machine", True, "--device local")
    return found


@cache
def _own_targets() -> tuple[Target, ...]:
    """Those that ship; a fleet asks for them once a board."""
    return tuple(map(Target.load, names("target")))


def write_target(path: Path | str, facts: Facts) -> Path:
    """Save facts as a target file, named after the file's stem; ``Target.load(path)`` reads it back.

    Raises:
        LibraryError: The name does not end in .toml, or cannot be written.
    """
    path = Path(path)
    if path.suffix != ".toml":
        raise LibraryError(f"{path}: a target is a .toml file", f"save it as {path.with_suffix('.toml')}")
    text = target_text(path.stem, facts)
    Target.from_table(Table(tomllib.loads(text), str(path)))
    try:
        write_atomic(path, text.encode())
    except OSError as error:
        raise LibraryError(f"{path}: cannot be written ({error.strerror})", "choose another folder") from None
    return path


def target_text(name: str, facts: Facts) -> str:
    """A target file for a board with these facts.

    What can run there is taken from its nearest target, but for runtimes that were not found there.
    """
    found = board_target(facts)
    local = Target.load("local")
    base = Target.load(found.target) if found.target else local
    there = supported(base, facts)
    board, memory = facts.board or facts.os or name, round(facts.memory_mb or 0)
    lines = [
        f"# Read from the board by edgenet probe; {plain(str(found))}",
        f"name = {_value(name)}",
        f"title = {_value(board)}",
        f"verified = {_value(found.known and not facts.emulated)}",
        f"sources = {_value(['the board itself'])}",
        f"default_precision = {_value((base if there == base.backends else local).default_precision)}",
        f"memory_mb = {_value([memory] if memory else [])}",
        f"board_models = {_value([facts.board] if facts.board else [])}",
        "",
        "[cpu]",
        f"machine = {_value(machine_of(facts))}",
        f"core = {_value(facts.cpu or '')}",
        f"cores = {facts.cores}",
        f"clock_mhz = {facts.clock_max_mhz or 0}",
        f"isa = {_value([item for item in ISA if item in facts.isa])}",
    ]
    lines += [line for name, support in there.items() for line in _backend(name, support)]
    return "\n".join([*lines, "", "[os]", f"images = {_value([_system(facts)])}", ""])


def supported(target: Target, facts: Facts) -> Mapping[str, BackendSupport]:
    """Of what a target lists, the backends whose runtime a board has, or can be sent."""
    return {
        name: support
        for name, support in target.backends.items()
        if load_backend(name).present(facts) and _runs(name, facts)
    }


def _runs(backend: str, facts: Facts) -> bool:
    """Whether what edgenet sends fits there; it may where a board tells no system."""
    if not load_backend(backend).sent or None in (facts.system, facts.python_implementation):
        return True
    return backend in facts.runtimes or fits(backend, facts)


def _backend(name: str, support: BackendSupport) -> list[str]:
    lines = ["", f"[backends.{name}]", f"precisions = {_value(list(support.precisions))}"]
    lines += [f"built = {_value(support.built)}"] if support.built != "host" else []
    lines += [f"versions = {_value(list(support.versions))}"] if support.versions else []
    lines += [f"dla_core = {support.dla_core}"] if support.dla_core is not None else []
    reasons = ", ".join(f"{_value(key)} = {_value(why)}" for key, why in support.refused.items())
    return [*lines, f"refused = {{ {reasons} }}"] if reasons else lines


def _system(facts: Facts) -> str:
    release = f", L4T {facts.l4t}" if facts.l4t else ""
    return f"{facts.os}{release}: Python {facts.python}, glibc {facts.glibc}"


def _value(value: object) -> str:
    """A TOML value; JSON writes strings, numbers, booleans and flat lists as TOML does."""
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return text.encode(errors="replace").decode()
