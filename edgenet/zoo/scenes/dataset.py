"""Writes the calibration and validation sets of the embedded detector as one archive.

    python -m edgenet.zoo.scenes.dataset OUT.zip

In it lie ``calib`` and ``val`` (JPEGs and COCO's ``annotations.json`` each) and ``manifest.toml``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgenet.zoo.scenes import CLASSES
from edgenet.zoo.scenes.render import SIZE, Scene, photograph
from edgenet.zoo.set_archive import SetArchive
from edgenet.zoo.signs.dataset import drawn

__all__ = ["COUNTS", "SEEDS", "coco", "main", "pictures", "write"]

# First word of every picture's seed; the second is its number. No split shares its word with another, nor
# with those of edgenet.zoo.signs, so none shares a picture.
SEEDS: Mapping[str, int] = {"train": 4, "calib": 5, "val": 6}
COUNTS: Mapping[str, int] = {"calib": 128, "val": 500}

MANIFEST = """\
# Written by the command below; to change a picture, change edgenet/zoo/scenes and run it again.
name = "scenes"
what = "Scenes with several road signs: drawn by edgenet, no photograph and no person in them"
made_by = "python -m edgenet.zoo.scenes.dataset calibration/sets/scenes.zip"
licence = "Apache-2.0"
source = "edgenet's own work"
image = {{ format = "jpeg", height = {height}, width = {width}, color = "rgb" }}
classes = [{classes}]

# sha256 = of the text that `LC_ALL=C sha256sum *` prints inside the folder.
"""


def picture(split: str, index: int) -> Scene:
    """One picture of "train", "calib" or "val"."""
    return photograph((SEEDS[split], index))


def pictures(split: str, count: int) -> Iterator[Scene]:
    """The first ``count`` pictures of a split, in order; many are drawn on all cores."""
    return drawn(picture, split, count)


def coco(scenes: Sequence[Scene]) -> dict[str, Any]:
    """What is in pictures, in COCO's form (cocodataset.org, "Object Detection"): classes begin at 1."""
    signs = [(image, sign) for image, scene in enumerate(scenes) for sign in scene.signs]
    boxes = []
    for number, (image, sign) in enumerate(signs, start=1):
        left, top, right, bottom = (round(side, 2) for side in sign.box)
        box = [left, top, round(right - left, 2), round(bottom - top, 2)]
        area = round(box[2] * box[3], 2)
        known = {"id": number, "image_id": image, "category_id": 1 + sign.kind}
        boxes.append({**known, "bbox": box, "area": area, "iscrowd": 0})
    width, height = SIZE
    return {
        "info": {"description": "edgenet's scenes", "version": "1"},
        "images": [
            {"id": index, "file_name": _file(index), "width": width, "height": height}
            for index in range(len(scenes))
        ],
        "annotations": boxes,
        "categories": [{"id": 1 + kind, "name": name} for kind, name in enumerate(CLASSES)],
    }


def write(out: Path, counts: Mapping[str, int] = COUNTS) -> None:
    """Write the archive.

    Args:
        out: The file; one of that name is replaced.
        counts: Pictures for each split.
    """
    width, height = SIZE
    classes = ", ".join(f'"{name}"' for name in CLASSES)
    archive = SetArchive(MANIFEST.format(width=width, height=height, classes=classes))
    for split, count in counts.items():
        scenes = list(pictures(split, count))
        files = {_file(index): scene.jpeg for index, scene in enumerate(scenes)}
        files["annotations.json"] = json.dumps(coco(scenes), separators=(",", ":")).encode()
        signs = sum(len(scene.signs) for scene in scenes)
        archive.add(split, files, {"seed": SEEDS[split], "count": count, "signs": signs})
    archive.write(out)


def _file(index: int) -> str:
    return f"{index:04d}.jpg"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the archive named on the command line."""
    (out,) = sys.argv[1:] if arguments is None else arguments
    write(Path(out))


if __name__ == "__main__":
    main()
