"""Writes the calibration and validation sets of the embedded model as one archive.

    python -m edgenet.zoo.signs.dataset OUT.zip

In it lie ``calib`` and ``val`` (JPEGs and ``labels.csv`` each) and ``manifest.toml``.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from edgenet.zoo.set_archive import SetArchive
from edgenet.zoo.signs import LABELS
from edgenet.zoo.signs.render import SIZE, photograph

__all__ = ["COUNTS", "SEEDS", "drawn", "label", "main", "picture", "pictures", "write"]

Drawn = TypeVar("Drawn")

# First word of every picture's seed; the second is its number. Splits share no word, so no picture.
SEEDS: Mapping[str, int] = {"train": 1, "calib": 2, "val": 3}
COUNTS: Mapping[str, int] = {"calib": 256, "val": 1000}
FEW = 64
HARD = (LABELS.index("speed limit 30"), LABELS.index("speed limit 50"))

MANIFEST = """\
# Written by the command below; to change a picture, change edgenet/zoo/signs and run it again.
name = "signs"
what = "Road signs as a camera sees their prints: drawn by edgenet, no photograph and no person in them"
made_by = "python -m edgenet.zoo.signs.dataset calibration/sets/signs.zip"
licence = "Apache-2.0"
source = "edgenet's own work"
image = {{ format = "jpeg", height = {size}, width = {size}, color = "rgb" }}
labels = [{labels}]

# sha256 = of the text that `LC_ALL=C sha256sum *` prints inside the folder.
"""


def label(split: str, index: int) -> int:
    """The class of picture number ``index``: they take turns, in training the speed limits twice."""
    turn = index % (len(LABELS) + (len(HARD) if split == "train" else 0))
    return turn if turn < len(LABELS) else HARD[turn - len(LABELS)]


def picture(split: str, index: int) -> bytes:
    """The JPEG of one picture of "train", "calib" or "val"."""
    return photograph((SEEDS[split], index), label(split, index))


def pictures(split: str, count: int) -> Iterator[bytes]:
    """The first ``count`` pictures of a split, in order; many are drawn on all cores."""
    return drawn(picture, split, count)


def drawn(picture: Callable[[str, int], Drawn], split: str, count: int) -> Iterator[Drawn]:
    """What a function of this package draws for the first ``count`` numbers of a split, in order."""
    if count < FEW:
        yield from (picture(split, index) for index in range(count))
        return
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(picture, [split] * count, range(count), chunksize=8)


def write(out: Path, counts: Mapping[str, int] = COUNTS) -> None:
    """Write the archive.

    Args:
        out: The file; one of that name is replaced.
        counts: Pictures for each split.
    """
    archive = SetArchive(MANIFEST.format(size=SIZE, labels=", ".join(f'"{name}"' for name in LABELS)))
    for split, count in counts.items():
        files = {f"{index:04d}.jpg": data for index, data in enumerate(pictures(split, count))}
        rows = [
            f"{name},{label(split, index)},{LABELS[label(split, index)]}" for index, name in enumerate(files)
        ]
        files["labels.csv"] = "\n".join(["file,class_index,class_name", *rows, ""]).encode()
        archive.add(split, files, {"seed": SEEDS[split], "count": count})
    archive.write(out)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the archive named on the command line."""
    (out,) = sys.argv[1:] if arguments is None else arguments
    write(Path(out))


if __name__ == "__main__":
    main()
