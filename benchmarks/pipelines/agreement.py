"""What decode = "scaled" changes: one network on photographs at camera sizes, decoded in full and scaled."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from edgenet.agent import preprocess
from edgenet.frame import Frame
from edgenet.imageset import ImageSet
from edgenet.measure.frame_pictures import frame_pictures
from edgenet.preprocessing import Preprocessing
from edgenet.statistics import wilson


class Agreement(NamedTuple):
    """Of one size: images, same answers with their 95 % interval, right answers of both (shares; or None)."""

    frame: str
    images: int
    same: float
    interval: tuple[float, float]
    right_full: float | None
    right_scaled: float | None


def agreement(session: Any, images: ImageSet, frame: Frame, how: Preprocessing, offset: int) -> Agreement:
    """Answer every image as a JPEG frame, both ways; all of it is there, mirrored where it is too narrow.

    Args:
        session: A runtime's.
        images: With or without labels.
        frame: Their size.
        how: The card's preprocessing.
        offset: The class that the network's first output is.
    """
    spec = how.fit_spec()
    ways = [{**spec, "decode": decode} for decode in (preprocess.FULL, preprocess.SCALED)]
    answers = []
    for index in range(len(images)):
        (data,) = frame_pictures(
            [_whole(images.read(index), frame, how.orientation)], frame, preprocess.IGNORE
        )
        answers.append([_best(session, preprocess.pixels_of(data, way)) for way in ways])
    same = sum(full == scaled for full, scaled in answers)
    right: list[float | None] = [None, None]
    if images.truth and "class_index" in images.truth[0]:
        truth = [int(row["class_index"]) + offset for row in images.truth]
        right = [sum(a[way] == b for a, b in zip(answers, truth, strict=True)) / len(truth) for way in (0, 1)]
    count = len(answers)
    return Agreement(str(frame), count, same / count, wilson(same, count), right[0], right[1])


def _whole(data: bytes, frame: Frame, orientation: str) -> bytes:
    """An image in the frame's shape with nothing cut away."""
    image = preprocess.decode(data, orientation)
    rows, columns = image.shape[:2]
    high = max(rows, round(columns * frame.height / frame.width))
    wide = max(columns, round(rows * frame.width / frame.height))
    above, before = (high - rows) // 2, (wide - columns) // 2
    edges = ((above, high - rows - above), (before, wide - columns - before), (0, 0))
    return preprocess.encode_ppm(np.pad(image, edges, "symmetric"))


def _best(session: Any, pixels: Any) -> int:
    session.set_input(pixels[None])
    session.invoke()
    return int(session.output().argmax())
