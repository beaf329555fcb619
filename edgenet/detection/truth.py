"""What is true of each picture of a set, in the classes of a detector's card."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgenet.agent.detection.detector import Found
from edgenet.agent.preprocess import APPLY, IGNORE, geometry, is_turned, opened
from edgenet.csv_table import shown
from edgenet.detection.average_precision import Objects
from edgenet.detection.coco import Annotation, Coco, Picture
from edgenet.errors import DataError
from edgenet.files import sha256
from edgenet.imageset import ImageSet
from edgenet.labels import ClassNames
from edgenet.preprocessing import Preprocessing
from edgenet.text import cause

__all__ = ["TruePicture", "true_pictures"]

NAMED = 3


@dataclass(frozen=True, eq=False)
class TruePicture:
    """One picture.

    Attributes:
        name: Of its file.
        id: As the annotations number it: pictures are judged in this order.
        objects: What is in it, of the classes that the card names.
        size: Width and height in pixels.
        view: Left, top, width, height in pixels of the picture of what the network sees: the fractions that
            a detector gives are of this. All of it by default.
        unknown: Names of objects that are of no class of the card.
        odd: How many objects no box can find: without an area, or outside of the picture.
        orientation: "apply" or "ignore": whether it was annotated as its Exif tag turns it or as it is
            stored; ``None`` where that is the same.
    """

    name: str
    id: tuple[int, str]
    objects: Objects
    size: tuple[int, int]
    view: tuple[float, float, float, float]
    unknown: tuple[str, ...]
    odd: int
    orientation: str | None

    def seen(self, preprocessing: Preprocessing) -> TruePicture:
        """The same picture as this preprocessing shows it to the network.

        Raises:
            DataError: That is not how it was annotated.
        """
        if self.orientation not in (None, preprocessing.orientation):
            raise DataError(
                f"{self.name}: is turned by its Exif tag, and was annotated "
                f"{'upright' if self.orientation == APPLY else 'as it is stored'}",
                f'write orientation = "{self.orientation}" in [preprocessing] of the card',
            )
        columns, rows = self.size
        way = geometry(rows, columns, preprocessing.fit_spec())
        return replace(self, view=way.view(preprocessing.size))

    def judged(self, found: Found) -> Objects:
        """What a detector found, in pixels of this picture."""
        left, top, width, height = self.view
        boxes = found.boxes * (width, height, width, height) + (left, top, left, top)
        boxes[:, 2:] -= boxes[:, :2]
        crowd = np.zeros(len(boxes), bool)
        return Objects(
            np.asarray(found.classes, np.int64), boxes, crowd, np.asarray(found.scores, np.float64)
        )

    def fractions(self) -> Found:
        """What is in it, in fractions of what the network sees; without scores."""
        left, top, width, height = self.view
        sides = self.objects.boxes.copy()
        sides[:, 2:] += sides[:, :2]
        boxes = (sides - (left, top, left, top)) / (width, height, width, height)
        return Found(self.objects.classes, None, boxes, None, None)

    def __str__(self) -> str:
        """The same text for the same truth."""
        parts = (self.objects.classes, self.objects.boxes, self.objects.crowd)
        content = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
        return f"{self.id} {self.view} {sha256(content)}"


def true_pictures(
    images: ImageSet, coco: Coco, labels: Sequence[str], count: int = 0
) -> tuple[TruePicture, ...]:
    """The truth of a set in its order.

    Args:
        images: The set.
        coco: Its annotations.
        labels: Names of the card's classes; where it has none, the annotations' categories in their order.
        count: How many classes the model has; 0 where that is not known.

    Raises:
        DataError: A picture is not among the annotations or of another size, or no category is a class of the
            card, or nothing is to be found in any picture.
    """
    classes = _classes(coco, labels, count)
    lacking = [images.name(at) for at in range(len(images)) if coco.find(images.name(at)) is None]
    if lacking:
        named = ", ".join(lacking[:NAMED]) + " …" * (len(lacking) > NAMED)
        raise DataError(
            f"{coco.path}: says nothing of {len(lacking)} of {len(images)} pictures ({named})",
            "list every picture in images, those without objects too",
        )
    found = tuple(_true(images, at, coco, classes) for at in range(len(images)))
    if not any((~own.objects.crowd).any() for own in found):
        raise DataError(
            f"{coco.path}: there is no object of the model's classes in any of {len(found)} pictures",
            "give pictures with such objects; without the file, boxes are compared with the float model's",
        )
    return found


def _classes(coco: Coco, labels: Sequence[str], count: int) -> Mapping[Hashable, int]:
    """Index of the class of each category that the card names too."""
    if not labels:
        if count and len(coco.categories) != count:
            raise DataError(
                f"{coco.path}: {len(coco.categories)} categories, and the model has {count} classes without "
                "names",
                "write the name of every class in the card: classes = [...]",
            )
        return {identity: at for at, identity in enumerate(sorted(coco.categories, key=_order))}
    names, found = ClassNames(labels), {}
    for identity, name in coco.categories.items():
        called = names.classes(name)
        if len(called) > 1:
            raise DataError(
                f"{coco.path}: the model has {len(called)} classes {shown(name)}",
                "give each class a name of its own",
            )
        found.update({identity: called[0]} if called else {})
    if not found:
        told = ", ".join(list(coco.categories.values())[:NAMED])
        raise DataError(
            f"{coco.path}: none of its categories ({told} …) is a class of the model "
            f"({', '.join(labels[:NAMED])} …)",
            "use the pictures and annotations of this model's task",
        )
    return found


def _order(identity: Hashable) -> tuple[int, str]:
    """Numbers by size, before texts."""
    return (identity, "") if isinstance(identity, int) else (2**63, str(identity))


def _true(images: ImageSet, at: int, coco: Coco, classes: Mapping[Hashable, int]) -> TruePicture:
    picture = coco.find(images.name(at))
    assert picture is not None
    own = [item for item in picture.objects if item.category in classes]
    (columns, rows), orientation = _size(images, at, coco, picture)
    return TruePicture(
        name=images.name(at),
        id=_order(picture.id),
        objects=_objects(own, classes),
        size=(columns, rows),
        view=(0.0, 0.0, float(columns), float(rows)),
        unknown=tuple(
            coco.categories[item.category] for item in picture.objects if item.category not in classes
        ),
        odd=sum(not _findable(item.box, columns, rows) for item in own),
        orientation=orientation,
    )


def _objects(own: Sequence[Annotation], classes: Mapping[Hashable, int]) -> Objects:
    return Objects(
        np.asarray([classes[item.category] for item in own], np.int64),
        np.asarray([item.box for item in own], np.float64).reshape(-1, 4),
        np.asarray([item.crowd for item in own], bool),
        np.ones(len(own)),
    )


def _findable(box: tuple[float, float, float, float], columns: int, rows: int) -> bool:
    left, top, width, height = box
    inside = min(left + width, columns) > max(left, 0) and min(top + height, rows) > max(top, 0)
    return inside and width > 0 and height > 0


def _size(images: ImageSet, at: int, coco: Coco, picture: Picture) -> tuple[tuple[int, int], str | None]:
    """Width and height as annotated, and whether that is turned: annotators see pictures upright."""
    data = images.read(at)
    ways = (APPLY, IGNORE) if is_turned(data) else (None,)
    sizes = {_opened(images, at, data, way or IGNORE): way for way in reversed(ways)}
    if picture.size is None:
        return next((size, way) for size, way in sizes.items() if way in (None, APPLY))
    if picture.size not in sizes:
        told = [f"{width}x{height}" for width, height in (picture.size, *sizes)]
        raise DataError(
            f"{coco.path}: {images.name(at)} is {told[0]} there, and {told[1]} in the folder",
            "give the pictures that were annotated, at their size",
        )
    return picture.size, sizes[picture.size]


def _opened(images: ImageSet, at: int, data: bytes, orientation: str) -> tuple[int, int]:
    try:
        seen = opened(data, {"orientation": orientation})
    except ValueError as error:
        raise DataError(f"{images.files[at]}: {cause(error)}", "replace or remove the file") from None
    columns, rows = seen.shape[1::-1] if isinstance(seen, np.ndarray) else seen.size
    return int(columns), int(rows)
