"""A folder of images, with labels or without: what calibration and validation read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.preprocess import is_turned, pixels_of
from edgenet.errors import DataError
from edgenet.files import read_regular
from edgenet.image_files import MAX_IMAGE_FILE, ImageFiles
from edgenet.notebook import Shown
from edgenet.preprocessing import Preprocessing
from edgenet.text import cause, plain

__all__ = ["ImageSet", "Skipped"]

NAMED = 5


@dataclass(frozen=True, repr=False)
class ImageSet(Shown):
    """Image files in a fixed order.

    Attributes:
        folder: Where they lie.
        files: The files, sorted by name, or in the order of ``labels.csv``.
        truth: What ``labels.csv`` says of each file, by column, for the model's task to read; of folders of
            classes the column ``class_name``; ``None`` where nothing says it.
        left_out: What else is in the folder, in words; empty where there is nothing.
        annotations: JSON files beside the images, which may say what is in them.

    Examples:
        >>> from edgenet.library import image_folder
        >>> images = edgenet.ImageSet.load(image_folder("signs", "val"))  # or a folder of your own
        >>> len(images), images.truth[0]["class_name"]
        (1000, 'stop')
    """

    folder: Path
    files: tuple[Path, ...]
    truth: tuple[Mapping[str, str], ...] | None
    left_out: str = ""
    annotations: tuple[Path, ...] = ()

    def __repr__(self) -> str:
        return f"<ImageSet {self.folder}, {len(self)} images{', labeled' if self.truth is not None else ''}>"

    def _title(self) -> str:
        return f"{len(self)} images"

    def _rows(self) -> Mapping[str, Any]:
        told = sorted(self.truth[0]) if self.truth else "nothing: no labels"
        first = [self.name(index) for index in range(min(3, len(self)))]
        known = {"folder": self.folder, "what is true of each": told, "first": first}
        return {**known, **({"left out": self.left_out} if self.left_out else {})}

    @classmethod
    def load(cls, folder: Path | str) -> ImageSet:
        """Read a folder: ``labels.csv`` (``file`` and the task's columns) if it is there, else every image.

        Where no image lies in it directly, each folder in it is a class, as for Keras and torchvision, and
        what is true of an image is the name of its folder. The table may be separated by commas, semicolons
        or tabs; paths in it are within the folder. Hidden files are no part of a set.

        Raises:
            DataError: Not a folder, no image in it, or a row of ``labels.csv`` is wrong.
        """
        found = ImageFiles.of(Path(folder))
        return cls(Path(folder), found.files, found.truth, found.left_out, found.annotations)

    def __len__(self) -> int:
        return len(self.files)

    def head(self, count: int) -> ImageSet:
        """At most ``count`` images, spread evenly over the set; all of them for 0."""
        if count <= 0 or count >= len(self):
            return self
        chosen = [index * len(self) // count for index in range(count)]
        truth = self.truth and tuple(self.truth[index] for index in chosen)
        return replace(self, files=tuple(self.files[index] for index in chosen), truth=truth)

    def read(self, index: int) -> bytes:
        """The bytes of one file.

        Raises:
            DataError: It cannot be read.
        """
        try:
            return read_regular(self.files[index], MAX_IMAGE_FILE)
        except OSError as error:
            what = f"{plain(str(self.files[index]))}: cannot be read ({error.strerror})"
            raise DataError(what, "check the file") from None

    def name(self, index: int) -> str:
        """What a file is called within the folder, for people: printable, parts separated by ``/``."""
        return str(plain(self._inside(self.files[index]).as_posix()))

    def _inside(self, path: Path) -> Path:
        return path.relative_to(self.folder) if path.is_relative_to(self.folder) else Path(path.name)

    def pixels(self, index: int, preprocessing: Preprocessing) -> NDArray[np.uint8]:
        """One image as the network sees it: uint8 [1, H, W, 3], RGB.

        Raises:
            DataError: The file is not a readable image, or of the wrong size.
        """
        try:
            image = pixels_of(self.read(index), preprocessing.fit_spec())
        except ValueError as error:
            what = f"{plain(str(self.files[index]))}: {cause(error)}"
            raise DataError(what, "replace or remove the file") from None
        return np.asarray(image, np.uint8)[None]

    def turned(self) -> int:
        """How many carry an Exif orientation that is not upright."""
        return sum(self._turned(index) for index in range(len(self)))

    def _turned(self, index: int) -> bool:
        try:
            return is_turned(self.read(index))
        except DataError:  # whoever uses the image counts it and says why
            return False

    def all_pixels(self, preprocessing: Preprocessing) -> Iterator[NDArray[np.uint8]]:
        """Every image as the network sees it, in order.

        Raises:
            DataError: Some cannot be used: how many of all there are, and which.
        """
        yield from Skipped(self, preprocessing, 0.0)

    def digest(self) -> str:
        """sha256 over names and contents, in order."""
        total = hashlib.sha256()
        for index, path in enumerate(self.files):
            name = os.fsencode(self._inside(path).as_posix())
            try:
                content = self.read(index)
            except DataError:  # whoever uses the image counts it and says why
                content = b""
            total.update(name + b"\0" + hashlib.sha256(content).digest())
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
            DataError: More than ``percent`` of the images cannot be used, or none can; all are counted.
        """
        for index in range(len(self.images)):
            try:
                made = self.images.pixels(index, self.preprocessing)
            except DataError as error:
                self.files.append(error.what)
                if self._too_many:
                    raise self._refusal(index + 1, error.remedy) from None
            else:
                yield made

    @property
    def _too_many(self) -> bool:
        return len(self.files) * 100 > self.percent * len(self.images)

    def _refusal(self, begin: int, remedy: str) -> DataError:
        """Look at the images that are left too, so that a folder is repaired in one go."""
        for index in range(begin, len(self.images)):
            try:
                self.images.pixels(index, self.preprocessing)
            except DataError as error:
                self.files.append(error.what)
        count, first = len(self.files), self.files[0]
        if count == 1 and not self.percent:
            return DataError(first, remedy)
        others = [line.partition(": ")[0].rpartition("/")[2] for line in self.files[1 : 1 + NAMED]]
        also = f"; also {', '.join(others)}" if others else ""
        more = f" and {count - 1 - len(others)} more" if count - 1 > len(others) else ""
        skipped = f"; up to {self.percent:g} % are skipped" if self.percent else ""
        return DataError(
            f"{count} of {len(self.images)} images cannot be used, first {first}{also}{more}",
            f"repair the folder{skipped}",
        )
