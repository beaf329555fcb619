"""Fetch, before a board is there, every runtime that it may need: then deploying needs no network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgenet.backend import load_backend, sent_backends
from edgenet.devices.first_use import take
from edgenet.devices.index import own_index
from edgenet.devices.pins import fitting
from edgenet.devices.platform import Platform
from edgenet.devices.wheelhouse import fetch
from edgenet.errors import DeviceError, LibraryError
from edgenet.notebook import Shown
from edgenet.progress import REMARK, Progress, silent
from edgenet.steps.taken import several, target_of
from edgenet.target import Target

__all__ = ["Kept", "build", "platform", "platforms", "wheelhouse"]

# The C library of the oldest system of today with a Python; what `platform` takes for it.
GLIBC = {"3.6": "2.27", "3.7": "2.28", "3.8": "2.31", "3.9": "2.31", "3.10": "2.35", "3.11": "2.36"}
NEWEST_GLIBC = "2.39"
_IMAGE = re.compile(r"Python (\d+\.\d+), glibc (\d+\.\d+)")


@dataclass(frozen=True)
class Kept(Shown):
    """One runtime for one kind of board.

    Attributes:
        backend: Name of the backend.
        python: Of the board, such as "3.11".
        machine: Of the board, such as "aarch64".
        runtime: The runtime and its version, such as "onnxruntime==1.31.1"; empty where none fits.
        size_mb: Of all its wheels, MB of 1e6 bytes; 0 where they are not here.
        why: Why they are not here; empty where they are.
    """

    backend: str
    python: str
    machine: str
    runtime: str
    size_mb: float
    why: str

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def wheelhouse(
    targets: Iterable[Target | Path | str] | Target | Path | str = (),
    python: str | None = None,
    machine: str = "aarch64",
    backends: Sequence[str] = (),
    progress: Progress = silent,
) -> list[Kept]:
    """Fetch the runtimes of boards into the user's cache.

    Args:
        targets: A board or several, by name, path or value; each with all its systems.
        python: Of a board that has no target, such as "3.11".
        machine: Of that board, as ``uname -m`` says it.
        backends: Those that shall run there; all whose runtimes are sent if empty.
        progress: Called for every runtime.

    Raises:
        DeviceError: Nothing at all could be fetched; why.
        LibraryError: A target is not there, or names no system.
        PlanError: There is no such backend.

    Examples:
        With a network:

        >>> kept = edgenet.wheelhouse("raspberry-pi-4")  # doctest: +SKIP
        >>> [(item.python, item.runtime) for item in kept]  # doctest: +SKIP
    """
    for name in backends:
        load_backend(name)  # which refuses a name that none has
    wanted = [one for board in several(targets) for one in platforms(target_of(board))]
    wanted += [platform(python, machine)] if python else []
    return build(wanted, backends, progress)


def platforms(target: Target) -> list[Platform]:
    """What the system images of a target bring: Python and C library.

    Raises:
        LibraryError: The target's file names no image with its Python and glibc.
    """
    found = [_IMAGE.search(image) for image in target.system.images]
    known = [Platform(match[1], target.cpu.machine, match[2]) for match in found if match]
    if not known:
        raise LibraryError(
            f"{target.name}: [os] images name no Python and glibc", "give --python and --machine instead"
        )
    return list(dict.fromkeys(known))


def platform(python: str, machine: str) -> Platform:
    """A board known by its Python alone; the C library is that of the systems with this Python."""
    return Platform(python, machine, GLIBC.get(python, NEWEST_GLIBC))


def build(
    wanted: Iterable[Platform], backends: Sequence[str] = (), progress: Progress = silent
) -> list[Kept]:
    """Fetch all runtimes that fit, the second choices too: a board may refuse the first.

    Raises:
        DeviceError: Nothing at all could be fetched; why.
    """
    found: list[Kept] = []
    for one in dict.fromkeys(wanted):
        for backend in backends or sent_backends():
            found += _fetch_all(backend, one, progress)
    if found and all(item.why for item in found):
        raise DeviceError(
            f"nothing was fetched: {found[0].why}", "see the messages, or choose another backend"
        )
    return list(dict.fromkeys(found))


def _fetch_all(backend: str, one: Platform, progress: Progress) -> list[Kept]:
    found = []
    try:
        pins = fitting(backend, one)
    except DeviceError as error:
        return [Kept(backend, one.python, one.machine, "", 0.0, error.what)]
    for pin in pins:
        progress(f"fetching {pin.name} for Python {one.python}, {one.machine}", 0, None)
        try:
            wheels = fetch(
                pin.wheels, pin.platform, tell=lambda what, name: progress(f"{what} {name}", 0, REMARK)
            )
            if pin.needs and (index := own_index()):
                wheels += take([need.text for need in pin.needs], pin.platform, index)
            size = sum(path.stat().st_size for path in wheels) / 1e6
            found.append(Kept(backend, one.python, one.machine, pin.name, round(size, 1), ""))
        except DeviceError as error:
            found.append(Kept(backend, one.python, one.machine, pin.name, 0.0, error.what))
    return found
