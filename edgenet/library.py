"""The only reader of the three data folders: a name or a path becomes a file.

``targets/`` holds boards, ``calibration/`` recipes, image sets and presets of cards, ``profiles/`` protocols,
plans of sweeps, reference results and published figures. Wherever a name is accepted, a path is too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from edgenet.errors import LibraryError
from edgenet.packed import unpacked
from edgenet.text import cause, near, with_article
from edgenet.text_file import read_text

__all__ = ["Table", "find", "image_folder", "names", "read_table", "reference_reports"]

MAX_BYTES = 1 << 20
# kind: (package, folder in it)
KINDS = {
    "target": ("edgenet.targets", ""),
    "recipe": ("edgenet.calibration", "recipes"),
    "preset": ("edgenet.calibration", "cards"),
    "protocol": ("edgenet.profiles", "protocols"),
    "sweep": ("edgenet.profiles", "sweeps"),
    "published": ("edgenet.profiles", "published"),
}


def names(kind: str) -> list[str]:
    """The names of a kind ("target", "recipe", "preset", "protocol", "sweep", "published"), sorted."""
    return sorted(path.stem for path in _folder(kind).glob("*.toml"))


def find(kind: str, name: Path | str) -> Path:
    """The TOML file of a name, or the path itself.

    Raises:
        LibraryError: There is no such name or file; the message offers the nearest name.
    """
    name = str(name)
    if name.endswith(".toml") or "/" in name or "\\" in name:
        path = Path(name)
        if path.is_file():
            return path
        raise LibraryError(f"{name}: no such {kind} file", f"give a path, or one of {', '.join(names(kind))}")
    path = _folder(kind) / f"{name}.toml"
    if path.is_file():
        return path
    hint = near(name, names(kind)) or f"choose one of {', '.join(names(kind))}, or give a path"
    raise LibraryError(f"there is no {kind} {name!r}", hint)


def image_folder(name: str, split: str) -> Path:
    """A folder of images: the path itself, or a split ("calib", "val") of a set that travels with edgenet."""
    if Path(name).is_dir() or Path(name).name != name:
        return Path(name)
    archive = _root("edgenet.calibration") / "sets" / f"{name}.zip"
    return unpacked(archive) / split if archive.is_file() else Path(name)


def reference_reports() -> list[Path]:
    """The reports from real boards that travel with edgenet, ``profiles/reference/**/*.json``, sorted."""
    return sorted((_root("edgenet.profiles") / "reference").rglob("*.json"))


class Table:
    """A TOML table that is read once, key by key, with errors that name the file and the key."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values = dict(values)
        self._asked: list[str] = []
        self.where = where

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = ...) -> Any:
        """Remove and return a value of one of the given types; without a default it must be there.

        Raises:
            LibraryError: The key is missing or its value has another type.
        """
        self._asked.append(key)
        if key not in self._values:
            if default is ...:
                raise LibraryError(f"{self.where}: no {key!r}", "add it")
            return default
        value = self._values.pop(key)
        wrong_bool = isinstance(value, bool) and kind is not bool
        if wrong_bool or not isinstance(value, kind):
            wanted = kind.__name__ if isinstance(kind, type) else " or ".join(k.__name__ for k in kind)
            raise LibraryError(f"{self.where}: {key} = {value!r} is not {with_article(wanted)}", "correct it")
        return value

    def texts(self, key: str, default: tuple[str, ...] | None = ()) -> tuple[str, ...]:
        """Remove and return a list of texts; with the default ``None`` it must be there."""
        found = self.take(key, list, ... if default is None else list(default))
        for item in found:
            if not isinstance(item, str):
                raise LibraryError(
                    f"{self.where}: {key} holds {item!r}, which is not text", "put it in quotes"
                )
        return tuple(found)

    def number(self, key: str, kind: type, default: Any) -> Any:
        """Remove and return a number from 0 up; a whole one where ``kind`` is int.

        Raises:
            LibraryError: It is negative, infinite, no number, or of another type.
        """
        value = self.take(key, (int, float) if kind is float else kind, default)
        if value is not default and not 0 <= value < 2**63:
            raise LibraryError(f"{self.where}: {key} = {value!r} is not a number from 0 up", "correct it")
        return value

    def table(self, key: str) -> Table:
        """Remove and return a sub-table; an empty one if it is not there."""
        return Table(self.take(key, dict, {}), f"{self.where} [{key}]")

    def rest(self) -> dict[str, Any]:
        """Remove and return all that is left."""
        left, self._values = self._values, {}
        return left

    def done(self, remedy: str = "remove the key") -> None:
        """Refuse keys that nobody took.

        Args:
            remedy: What to do about one that resembles no known key.

        Raises:
            LibraryError: A key is left over; it is named, and the nearest known one.
        """
        for key in self._values:
            raise LibraryError(f"{self.where}: does not know {key!r}", near(key, self._asked, "'") or remedy)


def read_table(kind: str, name: Path | str) -> Table:
    """Find and read a TOML file.

    Raises:
        LibraryError: Not found, not readable or not TOML.
    """
    path = find(kind, name)
    text = read_text(path, LibraryError, "correct the file", MAX_BYTES)
    try:
        return Table(tomllib.loads(text), str(path))
    except (ValueError, RecursionError) as error:  # ValueError: TOML's own, and numbers of too many digits
        raise LibraryError(f"{path}: not a readable TOML file ({cause(error)})", "correct the file") from None


def _folder(kind: str) -> Path:
    package, folder = KINDS[kind]
    return _root(package) / folder


def _root(package: str) -> Path:
    return Path(str(resources.files(package)))
