"""Writes the calibration and validation sets of the embedded model.

    python -m edgenet.zoo.signs.dataset OUT

makes ``OUT/calib``, ``OUT/val`` (JPEGs and ``labels.csv`` each) and ``OUT/manifest.toml``.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

from edgenet.files import sha256, write_atomic
from edgenet.zoo.signs import LABELS
from edgenet.zoo.signs.render import SIZE, photograph

__all__ = [
    "COUNTS",
    "SEEDS",
    "USES",
    "drawn",
    "files_digest",
    "folder_digest",
    "label",
    "main",
    "picture",
    "pictures",
    "write",
]

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
made_by = "python -m edgenet.zoo.signs.dataset calibration/sets/signs"
licence = "Apache-2.0"
source = "edgenet's own work"
image = {{ format = "jpeg", height = {size}, width = {size}, color = "rgb" }}
labels = [{labels}]

# sha256 = of the text that `LC_ALL=C sha256sum *` prints inside the folder.
"""
SPLIT = """
[{name}]
use = "{use}"
seed = {seed}
count = {count}
sha256 = "{digest}"
"""
USES = {"calib": "ranges for quantization; never scored", "val": "scoring; never calibrated or trained on"}


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
    """Write the sets and their manifest into ``out``.

    Args:
        out: Folder, made if it is not there; files of the same names are replaced.
        counts: Pictures for each split.
    """
    text = MANIFEST.format(size=SIZE, labels=", ".join(f'"{name}"' for name in LABELS))
    for split, count in counts.items():
        rows = ["file,class_index,class_name"]
        for index, data in enumerate(pictures(split, count)):
            write_atomic(out / split / f"{index:04d}.jpg", data)
            rows.append(f"{index:04d}.jpg,{label(split, index)},{LABELS[label(split, index)]}")
        write_atomic(out / split / "labels.csv", ("\n".join(rows) + "\n").encode())
        text += SPLIT.format(
            name=split, use=USES[split], seed=SEEDS[split], count=count, digest=folder_digest(out / split)
        )
    write_atomic(out / "manifest.toml", text.encode())


def folder_digest(folder: Path) -> str:
    """sha256 of the lines ``<sha256>  <name>`` of a folder's files, sorted by name."""
    return files_digest({path.name: path.read_bytes() for path in folder.glob("[!.]*")})


def files_digest(files: Mapping[str, bytes]) -> str:
    """The same of files by their names."""
    return sha256("".join(f"{sha256(files[name])}  {name}\n" for name in sorted(files)).encode())


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both sets into the folder named on the command line."""
    (out,) = sys.argv[1:] if arguments is None else arguments
    write(Path(out))


if __name__ == "__main__":
    main()
