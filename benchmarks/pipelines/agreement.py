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

# What the answers are compared with too: the same picture written once more, a little coarser.
AGAIN = 85


class Agreement(NamedTuple):
    """Of one size, all shares.

    Attributes:
        images: How many.
        same, interval: Answers that scaled decoding keeps, and their 95 %.
        same_again: Answers that are kept where the frame is decoded in full, written at quality ``AGAIN`` and
            decoded once more: how much such a network's answers mean.
        right_full, right_scaled: Right answers; ``None`` without labels.
    """

    frame: str
    images: int
    same: float
    interval: tuple[float, float]
    same_again: float
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
        again = preprocess.encode_jpeg(preprocess.decode(data), AGAIN)
        seen = [preprocess.pixels_of(data, ways[0]), preprocess.pixels_of(data, ways[1])]
        answers.append([_best(session, pixels) for pixels in (*seen, preprocess.pixels_of(again, ways[0]))])
    same, same_again = (sum(row[0] == row[way] for row in answers) for way in (1, 2))
    right: list[float | None] = [None, None]
    if images.truth and "class_index" in images.truth[0]:
        truth = [int(row["class_index"]) + offset for row in images.truth]
        right = [sum(a[way] == b for a, b in zip(answers, truth, strict=True)) / len(truth) for way in (0, 1)]
    count = len(answers)
    shares = same / count, wilson(same, count), same_again / count
    return Agreement(str(frame), count, *shares, right[0], right[1])


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
