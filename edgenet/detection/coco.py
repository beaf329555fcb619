"""Truth in COCO's form: ``images``, ``annotations`` and ``categories`` in one JSON file.

The form is that of https://cocodataset.org/#format-data. Of an annotation ``image_id``, ``category_id``,
``bbox`` and ``iscrowd`` are read; of an image ``id``, ``file_name``, ``width`` and ``height``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import Any

from edgenet.csv_table import shown
from edgenet.detection.values import is_name, is_number, is_whole, listed
from edgenet.errors import DataError
from edgenet.text import cause
from edgenet.text_file import read_text

__all__ = ["Annotation", "Coco", "Picture", "find_coco", "read_coco"]

MAX_FILE = 1 << 30
MAX_SIDE, FARTHEST = 1 << 20, 1e7
PARTS = ("images", "annotations", "categories")
NAME = "annotations.json"
FORM = "write COCO's form: images, annotations and categories"


@dataclass(frozen=True)
class Annotation:
    """One object: its category, x, y, width, height in pixels, and whether it is a region of many."""

    category: Hashable
    box: tuple[float, float, float, float]
    crowd: bool


@dataclass(frozen=True)
class Picture:
    """One picture: its id, its width and height in pixels or ``None``, and what is in it."""

    id: Hashable
    size: tuple[int, int] | None
    objects: tuple[Annotation, ...]


@dataclass(frozen=True)
class Coco:
    """What a file says.

    Attributes:
        path: The file.
        pictures: By file name.
        categories: Names by id, in the file's order of ids.
    """

    path: Path
    pictures: Mapping[str, Picture] = field(repr=False)
    categories: Mapping[Hashable, str] = field(repr=False)

    def find(self, name: str) -> Picture | None:
        """A picture by its path within the folder; where one says more folders, by what both say."""
        parts = _parts(name)
        found = [
            picture
            for told, picture in self._by_last.get(parts[-1], ())
            if all(own == other for own, other in zip(reversed(parts), reversed(told), strict=False))
        ]
        return self.pictures.get(name) or (found[0] if len(found) == 1 else None)

    @cached_property
    def _by_last(self) -> Mapping[str, list[tuple[Sequence[str], Picture]]]:
        found: dict[str, list[tuple[Sequence[str], Picture]]] = defaultdict(list)
        for name, picture in self.pictures.items():
            if parts := _parts(name):
                found[parts[-1]].append((parts, picture))
        return found


def read_coco(path: Path) -> Coco:
    """Read a file of annotations.

    Raises:
        DataError: It cannot be read, is not of COCO's form, or an entry is not; it is named by its place.
    """
    table = _parsed(path)
    if not _is_form(table):
        raise DataError(f"{path}: not of COCO's form", FORM)
    categories: dict[Hashable, str] = {}
    for at, item in enumerate(table["categories"]):
        number, called = _category(path, at, item)
        if number in categories:
            raise _wrong(path, f"categories[{at}]", "id", number, "an id that is there once")
        categories[number] = called
    objects: dict[Hashable, list[Annotation]] = defaultdict(list)
    for at, item in enumerate(table["annotations"]):
        image, found = _annotation(path, at, item)
        if found.category not in categories:
            raise _wrong(path, f"annotations[{at}]", "category_id", found.category, "the id of a category")
        objects[image].append(found)
    pictures: dict[str, Picture] = {}
    ids: set[Hashable] = set()
    for at, item in enumerate(table["images"]):
        name, identity, size = _image(path, at, item)
        if name in pictures or identity in ids:
            raise _wrong(path, f"images[{at}]", "id", identity, "of a picture that is there once")
        ids.add(identity)
        pictures[name] = Picture(identity, size, tuple(objects.get(identity, ())))
    if lost := next((image for image in objects if image not in ids), None):
        raise DataError(
            f"{path}: annotations of image_id {shown(str(lost))}, and images lists none such", FORM
        )
    return Coco(path, pictures, categories)


def _parts(name: str) -> Sequence[str]:
    """Folders and file, whoever wrote the slashes."""
    return PureWindowsPath(name).parts


def find_coco(candidates: Sequence[Path]) -> Coco | None:
    """The truth among the JSON files of a folder: ``annotations.json``, or the one that is of COCO's form.

    Raises:
        DataError: Several are, or as :func:`read_coco`.
    """
    named = [path for path in candidates if path.name == NAME] or [
        path for path in candidates if _is_coco(path)
    ]
    if len(named) > 1:
        others = ", ".join(path.name for path in named)
        raise DataError(f"{named[0].parent}: {others} are all annotations", f"keep one, or call it {NAME}")
    return read_coco(named[0]) if named else None


def _is_coco(path: Path) -> bool:
    try:
        return _is_form(_parsed(path))
    except DataError:
        return False


def _parsed(path: Path) -> Any:
    try:
        return json.loads(read_text(path, DataError, "check the file", MAX_FILE))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({cause(error)})", "write the file again") from None


def _is_form(table: object) -> bool:
    return isinstance(table, Mapping) and all(isinstance(table.get(part), list) for part in PARTS)


def _category(path: Path, at: int, item: Any) -> tuple[Hashable, str]:
    place, entry = f"categories[{at}]", _entry(path, f"categories[{at}]", item)
    if not is_name(entry.get("name")):
        raise _wrong(path, place, "name", entry.get("name"), "a printable text")
    return _identity(path, place, "id", entry), entry["name"]


def _image(path: Path, at: int, item: Any) -> tuple[str, Hashable, tuple[int, int] | None]:
    place, entry = f"images[{at}]", _entry(path, f"images[{at}]", item)
    if not is_name(entry.get("file_name")):
        raise _wrong(path, place, "file_name", entry.get("file_name"), "a printable text")
    size = (entry.get("width"), entry.get("height"))
    if size != (None, None) and not all(is_whole(side, 1, MAX_SIDE) for side in size):
        raise _wrong(path, place, "width and height", size, "pixels")
    return entry["file_name"], _identity(path, place, "id", entry), size if size[0] else None  # type: ignore[return-value]


def _annotation(path: Path, at: int, item: Any) -> tuple[Hashable, Annotation]:
    place, entry = f"annotations[{at}]", _entry(path, f"annotations[{at}]", item)
    box = listed(entry.get("bbox")) or []
    if len(box) != 4 or not all(is_number(value, -FARTHEST, FARTHEST) for value in box) or min(box[2:]) < 0:
        raise _wrong(path, place, "bbox", entry.get("bbox"), "x, y, width, height in pixels")
    if entry.get("iscrowd", 0) not in (0, 1):
        raise _wrong(path, place, "iscrowd", entry["iscrowd"], "0 or 1")
    found = Annotation(
        _identity(path, place, "category_id", entry),
        (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
        bool(entry.get("iscrowd", 0)),
    )
    return _identity(path, place, "image_id", entry), found


def _entry(path: Path, place: str, item: Any) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise DataError(f"{path}: {place} is {shown(str(item))}, not a table", FORM)
    return item


def _identity(path: Path, place: str, key: str, entry: Mapping[str, Any]) -> Hashable:
    value = entry.get(key)
    if not (is_name(value) or is_whole(value, -(2**63), 2**63)):
        raise _wrong(path, place, key, value, "a whole number or a text")
    return value


def _wrong(path: Path, place: str, key: str, value: object, wanted: str) -> DataError:
    return DataError(f"{path}: {place} {key} is {shown(str(value))}, not {wanted}", "correct the file")
