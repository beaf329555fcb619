"""Images that a sweep's jobs need, by what is in them: wherever a job is worked on, they are the same."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from edgenet.errors import DataError
from edgenet.files import cache_dir, file_digest, read_regular, sha256
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.packed import unpack

__all__ = ["Images"]

# As edgenet.detection.coco reads.
MAX_TRUTH = 1 << 30
TABLE = "labels.csv"
AGAIN = "run it again"
CHANGED = "run it again without changing them meanwhile"


@dataclass(frozen=True)
class Images:
    """A folder of images.

    Attributes:
        folder: Where it lies for whoever named it; another machine has it elsewhere, or not yet.
        digest: sha256 over names, contents, truth and annotations.
    """

    folder: str
    digest: str

    @classmethod
    def of(cls, name: str, split: str) -> Images:
        """The set that a user named.

        Args:
            name: A folder, or the name of a set that ships.
            split: "calib" or "val" of the latter.

        Raises:
            DataError: It is no set of images.
        """
        folder = image_folder(name, split)
        return cls(str(folder), _digest(ImageSet.load(folder)))

    @property
    def kept(self) -> Path:
        """Where another machine keeps them."""
        return cache_dir() / "images" / self.digest

    def pack(self, archive: Path) -> None:
        """Write the images as one archive, for :meth:`take_in` of another machine.

        Raises:
            DataError: They are not here, or changed.
            OSError: It cannot be written.
        """
        found = self.here()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as made:
            for path in (*found.files, *(item for item in found.annotations if _content(item))):
                made.write(path, path.relative_to(found.folder))
            table = next((item for item in _tables(found) if item.is_file()), None)
            if table is not None:
                made.write(table, table.name)

    def take_in(self, offset: int, data: bytes, whole: str | None) -> None:
        """Add the next part of an archive that :meth:`pack` wrote; the last one brings the images here.

        Args:
            offset: Where the part begins, in bytes.
            data: The part.
            whole: The archive's sha256, with its last part.

        Raises:
            DataError: It is not the next part, not the archive, not these images, or cannot be written.
        """
        archive = self.kept.with_name(f".{self.digest}.{os.getpid()}.zip")
        try:
            archive.parent.mkdir(parents=True, exist_ok=True)
            with archive.open("ab" if offset else "wb") as stream:
                if stream.tell() != offset:
                    raise DataError(f"{self.folder}: a part of the images is missing", AGAIN)
                stream.write(data)
            if whole is not None:
                self._unpack(archive, whole)
        except OSError as error:
            what = f"{self.folder}: cannot be kept on a worker ({error.strerror})"
            raise DataError(what, f"free space in {cache_dir()} there") from None
        finally:
            if whole is not None:
                archive.unlink(missing_ok=True)

    def _unpack(self, archive: Path, whole: str) -> None:
        if file_digest(archive) != whole:
            raise DataError(f"{self.folder}: the images came damaged", AGAIN)
        unpack(archive, self.kept)
        if _digest(ImageSet.load(self.kept)) != self.digest:
            shutil.rmtree(self.kept, ignore_errors=True)
            raise DataError(f"{self.folder}: other images came than were sent", AGAIN)

    def here(self) -> ImageSet:
        """The images on this machine: in the folder, else where they are kept.

        Raises:
            DataError: They are not here, or changed.
        """
        for place in (Path(self.folder), self.kept):
            if place.is_dir():
                found = ImageSet.load(place)
                if _digest(found) == self.digest:
                    return found
        what = "is not here" if not Path(self.folder).is_dir() else "changed while the sweep ran"
        raise DataError(f"{self.folder}: {what}", CHANGED)


def _tables(found: ImageSet) -> tuple[Path, ...]:
    """Where the table may lie that says what is true of the images."""
    folder = found.folder.absolute()
    named = found.truth is not None and all(path.parent == found.folder for path in found.files)
    beside = (folder.parent / TABLE,) if named else ()
    return folder / TABLE, *beside


def _digest(found: ImageSet) -> str:
    truth = json.dumps([dict(row) for row in found.truth or ()], sort_keys=True)
    notes = "".join(_content(path) for path in found.annotations)
    return sha256(f"{found.digest()} {truth} {notes}".encode())


def _content(path: Path) -> str:
    try:
        return sha256(read_regular(path, MAX_TRUTH))
    except OSError:  # whoever uses it says why
        return ""
