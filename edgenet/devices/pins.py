"""Which wheels make a runtime on which boards: ``pins.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import NamedTuple

from edgenet.devices.needs import Need, need
from edgenet.devices.platform import Platform
from edgenet.errors import DeviceError
from edgenet.library import Table
from edgenet.pages import page

__all__ = ["Pin", "fitting", "refused"]

FILE = "pins.toml"


class Pin(NamedTuple):
    """A line of ``pins.toml`` that fits a board.

    Attributes:
        wheels: What is sent, pinned.
        platform: With the oldest C library that the wheels run on, so boards with newer ones share them.
        needs: What else it imports.
        lacking: Those of them that the board lacks: they come from an index of the user's own.
    """

    wheels: tuple[str, ...]
    platform: Platform
    needs: tuple[Need, ...] = ()
    lacking: tuple[Need, ...] = ()

    @property
    def name(self) -> str:
        """The runtime itself, such as "onnxruntime==1.31.1"."""
        return self.wheels[0]


class _Row(NamedTuple):
    """A table of ``pins.toml``."""

    python: tuple[str, ...]
    machines: tuple[str, ...]
    glibc: str
    wheels: tuple[str, ...]
    needs: tuple[Need, ...]


def fitting(backend: str, platform: Platform) -> list[Pin]:
    """The pins that fit a platform, best first.

    Raises:
        DeviceError: None fits; it says why.
    """
    rows = [row for row in _table().get(backend, []) if platform.machine in row.machines]
    if not rows:
        raise refused(backend, f"there are no wheels for {platform.machine}")
    rows = [row for row in rows if platform.python in row.python]
    if not rows:
        raise refused(backend, f"there are no wheels for Python {platform.python} on {platform.machine}")
    known = [row for row in rows if _version(row.glibc) <= _version(platform.glibc)]
    if not known:
        oldest = min((row.glibc for row in rows), key=_version)
        raise refused(backend, f"its wheels need glibc {oldest}, the board has {platform.glibc}")
    return [Pin(row.wheels, platform._replace(glibc=row.glibc), row.needs) for row in known]


def refused(backend: str, why: str) -> DeviceError:
    """The error of a board that no wheels of a backend fit; the caller raises it."""
    return DeviceError(
        f"no runtime for {backend} fits this board: {why}",
        "install one into the board's own Python, or choose another backend "
        f"({page('troubleshooting', 'no-runtime-fits')})",
    )


@cache
def _table() -> dict[str, list[_Row]]:
    """Backend → its rows, newest first.

    Raises:
        LibraryError: A key is missing or unknown.
    """
    text = resources.files(__package__).joinpath(FILE).read_text("utf-8")
    return {
        backend: [_row(Table(row, f"{FILE} [[{backend}]]")) for row in rows]
        for backend, rows in tomllib.loads(text).items()
    }


def _row(table: Table) -> _Row:
    row = _Row(
        table.texts("python", None),
        table.texts("machines", None),
        table.take("glibc", str),
        table.texts("wheels", None),
        tuple(need(text) for text in table.texts("needs")),
    )
    table.done()
    return row


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
