"""Images that a sweep's jobs need, by what is in them: wherever a job is worked on, they are the same."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from edgenet.errors import DataError
from edgenet.files import cache_dir, read_regular, sha256
from edgenet.imageset import ImageSet
from edgenet.library import image_folder

__all__ = ["Images"]

# As edgenet.detection.coco reads.
MAX_TRUTH = 1 << 30
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


def _digest(found: ImageSet) -> str:
    truth = json.dumps([dict(row) for row in found.truth or ()], sort_keys=True)
    notes = "".join(sha256(read_regular(path, MAX_TRUTH)) for path in found.annotations)
    return sha256(f"{found.digest()} {truth} {notes}".encode())
