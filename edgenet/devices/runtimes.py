"""A runtime for a board that has none: find wheels that fit, send them, see whether they import."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from edgenet.agent import wire
from edgenet.devices.agent import Agent
from edgenet.devices.answers import Trial
from edgenet.devices.blobs import Blob
from edgenet.devices.candidates import candidates
from edgenet.devices.channel import OnEvent
from edgenet.devices.first_use import take
from edgenet.devices.homes import ELSEWHERE
from edgenet.devices.index import own_index
from edgenet.devices.pins import Pin
from edgenet.devices.replies import BoardError
from edgenet.devices.wheelhouse import fetch
from edgenet.errors import ConnectionLost, DeviceError
from edgenet.facts import Facts
from edgenet.files import cache_dir, file_digest, sha256, write_atomic
from edgenet.locks import locked
from edgenet.pages import page

__all__ = [
    "NOEXEC_REMEDY",
    "Prove",
    "RuntimeChoice",
    "check_runtime",
    "ensure_runtime",
]

NOEXEC_REMEDY = f"{ELSEWHERE}, on a file system mounted without noexec"

# Signals after which another build of the runtime may do.
_OTHER_BUILD = ("SIGILL", "SIGBUS", "SIGSEGV", "SIGABRT")


class RuntimeChoice(NamedTuple):
    """The runtime a deployment will use.

    Attributes:
        digest: Of the unpacked runtime; None for the board's own Python packages.
        version: What the runtime says of itself on the board.
        wheels: File names of what it was made of.
    """

    digest: str | None
    version: str
    wheels: tuple[str, ...]


Prove = Callable[[RuntimeChoice], None]


def ensure_runtime(
    agent: Agent,
    backend: str,
    progress: OnEvent | None = None,
    prove: Prove | None = None,
    offline: bool = False,
) -> RuntimeChoice:
    """Make sure that the board can run a backend; takes the deploy lock if it has none of its own.

    The board's own packages are used where they import. What worked, and what ended with a signal,
    is remembered on the host for the next board of the same kind.

    Args:
        agent: The board.
        backend: A backend's name.
        progress: Called with ``{"stage": "fetch" | "send" | "unpack" | "try", …}``; with ``remark``
            what was damaged and is mended.
        prove: Called with a runtime that imports; runs a model with it. Where the board's process ends
            with a signal such as SIGILL, the next runtime is tried.
        offline: Use only wheels that were fetched before.

    Raises:
        DeviceError: No runtime fits or none can be imported; every attempt's reason is named.
    """
    facts = agent.facts([backend])
    reasons, remedy = [], ""
    if own := facts.runtimes.get(backend):
        choice = RuntimeChoice(None, own, ())
        if not (died := _dies(choice, prove)):
            return choice
        reasons.append(f"the board's own {own}: {died.why}")
    memory = _Memory(backend, facts)
    for pin in memory.order(_sendable(agent, backend, facts)):
        try:
            sent = _install(agent, pin, progress, offline)
        except ConnectionLost:
            raise
        except DeviceError as error:
            reasons.append(f"{pin.name}: {error.what}")
            remedy = remedy or error.remedy
            continue
        try:
            choice, trial = _tried(agent, backend, pin, sent, progress, prove)
        except BoardError as error:
            if error.kind != wire.DAMAGED_RUNTIME:
                raise
            _remark(progress)("damaged there, sent again:", pin.name)
            sent = _install(agent, pin, progress, offline)
            choice, trial = _tried(agent, backend, pin, sent, progress, prove)
        memory.note(pin, trial)
        if trial.works:
            return choice
        reasons.append(f"{pin.name}: {trial.why}")
    why = "; ".join(reasons)
    raise DeviceError(f"no runtime for {backend} works on {agent.name}: {why}", remedy or _remedy(why))


def check_runtime(agent: Agent, backend: str, offline: bool = False) -> None:
    """Refuse a board that can neither use its own packages nor be sent a runtime, before anything is sent.

    Args:
        agent: The board.
        backend: A backend's name.
        offline: As for :func:`ensure_runtime`.

    Raises:
        DeviceError: The reason and the remedy.
    """
    facts = agent.facts([backend])
    if backend not in facts.runtimes:
        for pin in _sendable(agent, backend, facts)[:1]:
            _taken(pin, offline)


def _sendable(agent: Agent, backend: str, facts: Facts) -> list[Pin]:
    """What can be sent to a board, best first; it has to be able to load it."""
    if facts.noexec:
        raise DeviceError(
            f"edgenet's folder on {agent.name} is mounted noexec: no library loads from it", NOEXEC_REMEDY
        )
    return candidates(backend, facts, own_index())


def _taken(pin: Pin, offline: bool) -> list[Path]:
    """What a board lacks beside a pin's own wheels, from the user's index."""
    if not pin.lacking:
        return []
    return take([need.text for need in pin.lacking], pin.platform, None if offline else own_index())


def _dies(choice: RuntimeChoice, prove: Prove | None) -> Trial | None:
    """The failed trial of a runtime that a signal ends when it runs the model; other errors are raised."""
    if prove is None:
        return None
    try:
        prove(choice)
    except BoardError as error:
        name = error.facts.get("signal")
        if error.kind != wire.DIED or name not in _OTHER_BUILD:
            raise
        return Trial(False, "", f"{name} when it runs the model", str(name))
    return None


def _install(agent: Agent, pin: Pin, progress: OnEvent | None, offline: bool) -> tuple[str, tuple[str, ...]]:
    _tell(progress, "fetch", pin.name)
    paths = fetch(pin.wheels, pin.platform, offline, _remark(progress)) + _taken(pin, offline)
    digests = [file_digest(path) for path in paths]
    names = tuple(path.name for path in paths)
    digest = wire.runtime_digest(digests)
    agent.begin()  # also where the caller did: the board gives the lock back when fetching took a minute
    there = agent.runtimes()
    if digest in there.damaged:
        _remark(progress)("damaged there, sent again:", pin.name)
    if digest not in there.runtimes:
        agent.send_blobs([_blob(path, name) for path, name in zip(paths, digests, strict=True)], progress)
        agent.unpack(list(zip(digests, names, strict=True)), progress)
    return digest, names


def _tried(
    agent: Agent,
    backend: str,
    pin: Pin,
    sent: tuple[str, tuple[str, ...]],
    progress: OnEvent | None,
    prove: Prove | None,
) -> tuple[RuntimeChoice, Trial]:
    """Import a runtime on the board, and run the model with it.

    Raises:
        BoardError: ``damaged-runtime``: it failed because it is damaged there, and is removed.
    """
    _tell(progress, "try", pin.name)
    trial = agent.try_runtime(backend, sent[0])
    choice = RuntimeChoice(sent[0], trial.version, sent[1])
    return choice, (_dies(choice, prove) if trial.works else None) or trial


def _blob(path: Path, digest: str) -> Blob:
    return Blob(digest, path.stat().st_size, lambda: path.open("rb"))


def _remedy(why: str) -> str:
    """What helps where no runtime imports; 32-bit systems have no numpy that could be sent."""
    if "No module named 'numpy'" in why:
        return f"install numpy into the board's own Python ({page('troubleshooting', 'numpy-missing')})"
    return f"choose another backend ({page('troubleshooting', 'no-runtime-fits')})"


def _tell(progress: OnEvent | None, stage: str, wheel: str, **more: bool) -> None:
    if progress is not None:
        progress({"stage": stage, "wheel": wheel, **more})


def _remark(progress: OnEvent | None) -> Callable[[str, str], None]:
    """What tells something that people should still see when the work is done."""
    return lambda what, wheel: _tell(progress, what, wheel, remark=True)


class _Memory:
    """What is known of the pins on boards of one kind: "works", or the signal that ended the import."""

    def __init__(self, backend: str, facts: Facts) -> None:
        kind = [backend, facts.machine, facts.cpu, facts.isa, facts.python, facts.glibc, facts.board]
        self._path = cache_dir() / "runtimes" / f"{sha256(json.dumps(kind).encode())[:16]}.json"
        self._known = self._read()

    def _read(self) -> dict[str, str]:
        try:
            read = json.loads(self._path.read_bytes())
            return {key: value for key, value in read.items() if isinstance(value, str)}
        except (OSError, ValueError, AttributeError):
            return {}

    def order(self, pins: Sequence[Pin]) -> list[Pin]:
        """What worked first, what ended with a signal last, the rest between, each in the table's order."""
        rank = {"works": 0, "": 1}
        return sorted(pins, key=lambda pin: rank.get(self._known.get(" ".join(pin.wheels), ""), 2))

    def note(self, pin: Pin, trial: Trial) -> None:
        """Keep an outcome; an import that failed without a signal may be mended, so it is not kept."""
        outcome = "works" if trial.works else trial.signal or ""
        if self._known.get(" ".join(pin.wheels), "") == outcome:
            return
        with locked(self._path):  # what others learned meanwhile, threads or processes, stays
            self._known = self._read()
            self._known[" ".join(pin.wheels)] = outcome
            write_atomic(self._path, json.dumps(self._known, indent=1, sort_keys=True).encode())
