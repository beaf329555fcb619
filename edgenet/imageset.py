"""A folder of images, with labels or without: what calibration and validation read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.preprocess import decode, fit
from edgenet.csv_table import read_csv, shown
from edgenet.errors import DataError
from edgenet.json_value import plain
from edgenet.preprocessing import Preprocessing

__all__ = ["ImageSet", "Skipped"]

FORM = "file,class_index"
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".webp")


@dataclass(frozen=True)
class ImageSet:
    """Image files in a fixed order.

    Attributes:
        folder: Where they lie.
        files: The files, sorted by name, or in the order of ``labels.csv``.
        truth: What ``labels.csv`` says of each file, by column, for the model's task to read; ``None``
            without it.
    """

    folder: Path
    files: tuple[Path, ...]
    truth: tuple[Mapping[str, str], ...] | None

    @classmethod
    def load(cls, folder: Path | str) -> ImageSet:
        """Read a folder: ``labels.csv`` (``file`` and the task's columns) if it is there, else every image.

        The table may be separated by commas, semicolons or tabs; paths in it are within the folder.

        Raises:
            DataError: Not a folder, no image in it, or a row of ``labels.csv`` is wrong.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise DataError(f"{folder}: not a folder", "give a folder of images")
        table = folder / "labels.csv"
        if table.is_file():
            return cls(folder, *_read_table(folder, table))
        found = tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES))
        if not found:
            raise DataError(f"{folder}: no image in it", f"images end in {', '.join(SUFFIXES)}")
        return cls(folder, found, None)

    def __len__(self) -> int:
        return len(self.files)

    def head(self, count: int) -> ImageSet:
        """At most ``count`` images, spread evenly over the set; all of them for 0."""
        if count <= 0 or count >= len(self):
            return self
        chosen = [index * len(self) // count for index in range(count)]
        truth = self.truth and tuple(self.truth[index] for index in chosen)
        return ImageSet(self.folder, tuple(self.files[index] for index in chosen), truth)

    def read(self, index: int) -> bytes:
        """The bytes of one file.

        Raises:
            DataError: It cannot be read.
        """
        try:
            return self.files[index].read_bytes()
        except OSError as error:
            raise DataError(
                f"{self.files[index]}: cannot be read ({error.strerror})", "check the file"
            ) from None

    def name(self, index: int) -> str:
        """What a file is called within the folder, for people: printable, parts separated by ``/``."""
        path = self.files[index]
        inside = path.relative_to(self.folder) if path.is_relative_to(self.folder) else Path(path.name)
        return str(plain(inside.as_posix()))

    def pixels(self, index: int, preprocessing: Preprocessing) -> NDArray[np.uint8]:
        """One image as the network sees it: uint8 [1, H, W, 3], RGB.

        Raises:
            DataError: The file is not a readable image, or of the wrong size.
        """
        try:
            image = fit(decode(self.read(index)), preprocessing.fit_spec())
        except ValueError as error:
            raise DataError(f"{self.files[index]}: {error}", "replace or remove the file") from None
        return np.asarray(image, np.uint8)[None]

    def digest(self) -> str:
        """sha256 over names and contents, in order."""
        total = hashlib.sha256()
        for index, path in enumerate(self.files):
            total.update(path.name.encode() + b"\0" + hashlib.sha256(self.read(index)).digest())
        return total.hexdigest()


@dataclass
class Skipped:
    """Images left out because they cannot be read, up to a share of the set.

    Attributes:
        files: The files left out so far, with their reasons.
    """

    images: ImageSet
    preprocessing: Preprocessing
    percent: float
    files: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """The readable images as pixels.

        Raises:
            DataError: More than ``percent`` of the images cannot be read, or none can.
        """
        for index in range(len(self.images)):
            try:
                yield self.images.pixels(index, self.preprocessing)
            except DataError as error:
                self.files.append(error.what)
                if len(self.files) * 100 > self.percent * len(self.images):
                    count = f"{len(self.files)} of {len(self.images)}"
                    raise DataError(
                        f"{count} images cannot be used, first {self.files[0]}",
                        f"repair the folder; up to {self.percent:g} % are skipped",
                    ) from None


def _read_table(folder: Path, table: Path) -> tuple[tuple[Path, ...], tuple[Mapping[str, str], ...]]:
    files: dict[Path, Mapping[str, str]] = {}
    for row in read_csv(table, "file", DataError, FORM).rows:
        cells, place = dict(row.cells), f"{table} line {row.line}"
        name = cells.pop("file")
        path = _named(folder, name) or _named(folder, name.replace("\\", "/"))
        if path is None:
            raise DataError(f"{place}: {shown(name)} is not a file of {folder}", "correct the row")
        if path in files:
            raise DataError(f"{place}: {shown(name)} is there twice", "write one row an image")
        files[path] = cells
    return tuple(files), tuple(files.values())


def _named(folder: Path, name: str) -> Path | None:
    """The file of a row; ``None`` where there is none, or it lies outside the folder."""
    parts = Path(name).parts
    inside = parts and not Path(name).is_absolute() and ".." not in parts
    try:
        return folder / name if inside and (folder / name).is_file() else None
    except OSError:  # a name longer than names can be
        return None
