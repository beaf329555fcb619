"""Which files of a folder are images of its set, what is true of each, and what is left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgenet.csv_table import read_csv, shown
from edgenet.errors import DataError
from edgenet.files import irregular
from edgenet.text import plain

__all__ = ["MAX_IMAGE_FILE", "SUFFIXES", "ImageFiles"]

FORM = "file,class_index"
CLASS_NAME = "class_name"
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".bmp", ".webp")
MAX_IMAGE_FILE = 256 << 20
ANNOTATIONS = ".json"
# What systems put beside people's files; those that begin with a dot are hidden everywhere.
HIDDEN = ("thumbs.db", "desktop.ini")
NAMED = 3


@dataclass(frozen=True)
class ImageFiles:
    """The images of a folder.

    Attributes:
        files: In the order of the set.
        truth: What is true of each, by column; ``None`` where nothing says it.
        left_out: What is there beside them, in words; empty where there is nothing.
        annotations: JSON files beside them, sorted by name.
    """

    files: tuple[Path, ...]
    truth: tuple[Mapping[str, str], ...] | None
    left_out: str = ""
    annotations: tuple[Path, ...] = ()

    @classmethod
    def of(cls, folder: Path) -> ImageFiles:
        """What ``labels.csv`` names; else the folder's images; else those of its folders, one a class.

        Where folders of the same pictures, cut or sized in several ways, lie beside one ``labels.csv``, it is
        that of each: its names are exactly those of the folder's images.

        Raises:
            DataError: Not a folder, no image in it, or a row of ``labels.csv`` is wrong.
        """
        if not folder.is_dir():
            raise DataError(f"{folder}: not a folder", "give a folder of images")
        table = folder / "labels.csv"
        if os.path.lexists(table):
            _listed(folder, around := _Rest())
            return cls(*_named_by(table, folder), annotations=tuple(around.annotations))
        rest = _Rest()
        files, folders = _listed(folder, rest)
        if files:
            rest.folders.extend(path.name for path in folders)
            beside = _table_of(folder, files)
            if beside is not None:
                return cls(*_named_by(beside, folder), rest.words, tuple(rest.annotations))
            return cls(files, None, rest.words, tuple(rest.annotations))
        by_class = {path.name: _class_files(path, rest) for path in folders}
        found = tuple(file for listed in by_class.values() for file in listed)
        if not found:
            others = f" ({rest.words})" if rest.words else ""
            raise DataError(f"{folder}: no image in it{others}", f"images end in {', '.join(SUFFIXES)}")
        told = [{CLASS_NAME: name} for name, listed in by_class.items() for _ in listed]
        return cls(found, tuple(told), rest.words)


@dataclass
class _Rest:
    """What is no image."""

    kinds: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    annotations: list[Path] = field(default_factory=list)

    @property
    def words(self) -> str:
        """For example "3 files left out: 2 .heic, 1 that cannot be read (f.png: a FIFO, not a file)"."""
        parts, count = [], self.kinds.total() + len(self.odd)
        if count:
            kinds = [f"{number} {kind}" for kind, number in self.kinds.most_common()]
            if self.odd:
                kinds.append(f"{len(self.odd)} that cannot be read ({_first(self.odd, '; ')})")
            parts.append(f"{count} {'file' if count == 1 else 'files'} left out: {', '.join(kinds)}")
        if self.folders:
            number = len(self.folders)
            parts.append(
                f"{number} {'folder' if number == 1 else 'folders'} left out: {_first(self.folders)}"
            )
        return str(plain("; ".join(parts)))


def _first(names: Sequence[str], between: str = ", ") -> str:
    more = len(names) - NAMED
    return between.join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _listed(folder: Path, rest: _Rest) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Images and folders directly in a folder, sorted by name; nothing is opened."""
    files, folders = [], []
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})", "check the folder") from None
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith(".") or entry.name.lower() in HIDDEN:
            continue
        if entry.is_dir():
            folders.append(path)
        elif path.suffix.lower() == ANNOTATIONS:
            rest.annotations.append(path)
        elif path.suffix.lower() not in SUFFIXES:
            rest.kinds[path.suffix.lower() or "without a suffix"] += 1
        elif reason := _unreadable(path):
            rest.odd.append(f"{entry.name}: {reason}")
        else:
            files.append(path)
    return tuple(files), tuple(folders)


def _class_files(folder: Path, rest: _Rest) -> tuple[Path, ...]:
    files, deeper = _listed(folder, rest)
    rest.folders.extend(f"{folder.name}/{path.name}" for path in deeper)
    return files


def _unreadable(path: Path) -> str:
    try:
        return irregular(path, MAX_IMAGE_FILE)
    except OSError as error:
        return str(error.strerror)


def _named_by(table: Path, folder: Path) -> tuple[tuple[Path, ...], tuple[Mapping[str, str], ...]]:
    files: dict[Path, Mapping[str, str]] = {}
    for row in read_csv(table, "file", DataError, FORM).rows:
        cells, place = dict(row.cells), f"{table} line {row.line}"
        name = cells.pop("file")
        path = _within(folder, name) or _within(folder, name.replace("\\", "/"))
        if path is None:
            raise DataError(f"{place}: {shown(name)} is not a file of {folder}", "correct the row")
        if reason := _unreadable(path):
            raise DataError(f"{place}: {shown(name)} is {reason}", "correct the row")
        if path in files:
            raise DataError(f"{place}: {shown(name)} is there twice", "write one row for each image")
        files[path] = cells
    return tuple(files), tuple(files.values())


def _table_of(folder: Path, files: Sequence[Path]) -> Path | None:
    """The ``labels.csv`` beside a folder, where it names all of the folder's images and nothing else."""
    table = folder.absolute().parent / "labels.csv"
    try:
        if not table.is_file():
            return None
        names = [row.cells["file"] for row in read_csv(table, "file", DataError, FORM).rows]
    except (DataError, OSError):
        return None  # a table of something else
    return table if sorted(names) == sorted(path.name for path in files) else None


def _within(folder: Path, name: str) -> Path | None:
    """The path of a row; ``None`` where there is nothing, or it lies outside the folder."""
    parts = Path(name).parts
    inside = parts and not Path(name).is_absolute() and ".." not in parts
    try:
        return folder / name if inside and (folder / name).exists() else None
    except OSError:  # a name longer than names can be
        return None
