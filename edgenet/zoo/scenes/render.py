"""A camera's view of a scene with several signs: one seed, one JPEG and what is in it.

Far things are drawn before near ones: small prints first. Some are no signs. Up to a third of a sign may be
hidden by others, and up to a third of it outside the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from edgenet.zoo.scenes import CLASSES
from edgenet.zoo.signs.backdrop import backdrop
from edgenet.zoo.signs.camera import take
from edgenet.zoo.signs.faces import face, impostor
from edgenet.zoo.signs.placing import Placed

__all__ = ["SIZE", "Scene", "Sign", "photograph"]

SIZE = (320, 240)
HEIGHTS = (0.14, 0.85)  # of a print, over the picture's
MAX_SIGNS, MAX_IMPOSTORS = 7, 3
HIDDEN, TRIES, MARGIN = 1 / 3, 12, 40

Box = tuple[float, float, float, float]


class Sign(NamedTuple):
    """A sign in a picture: its class, and left, top, right, bottom in pixels, within the picture."""

    kind: int
    box: Box


class Scene(NamedTuple):
    """A picture: a baseline JPEG, RGB, and the signs in it from far to near."""

    jpeg: bytes
    signs: tuple[Sign, ...]


class _Seen(NamedTuple):
    """A sign of the scene, and how much of it is hidden."""

    kind: int
    box: Box
    hidden: float

    def behind(self, corners: np.ndarray) -> _Seen:
        """The sign once a card with these corners stands before it."""
        box = (*corners.min(axis=0), *corners.max(axis=0))
        return self._replace(hidden=self.hidden + _common(self.box, box) / _area(self.box))


def photograph(seed: Sequence[int], size: tuple[int, int] = SIZE) -> Scene:
    """Take one picture.

    Args:
        seed: Entropy for numpy's ``default_rng``; the same seed and size give the same picture.
        size: Its width and height in pixels.
    """
    random = np.random.default_rng(seed)
    width, height = (2 * side for side in size)
    image = _background(random, width, height)
    signs: list[_Seen] = []
    for scale, kind in _wanted(random):
        print_ = impostor(random) if kind is None else face(kind)
        placed = _free(random, print_, scale * height, image.size, signs)
        if placed is None:
            continue
        placed.put_into(random, image, _window(placed.corners))
        signs = [sign.behind(placed.corners) for sign in signs]
        if kind is not None:
            signs.append(_Seen(kind, _inside(placed.box(), image.size), 0.0))
    halves = [Sign(sign.kind, tuple(side / 2 for side in sign.box)) for sign in signs]  # type: ignore[arg-type]
    return Scene(take(random, image), tuple(halves))


def _background(random: np.random.Generator, width: int, height: int) -> Image.Image:
    side = max(width, height)
    left, top = (side - width) // 2, (side - height) // 2
    return backdrop(random, side).crop((left, top, left + width, top + height))


def _wanted(random: np.random.Generator) -> list[tuple[float, int | None]]:
    """Height over the picture's and class of every print, small ones first; no class where it is no sign."""
    signs = int(random.integers(0, MAX_SIGNS + 1))
    kinds: list[int | None] = [int(kind) for kind in random.integers(0, len(CLASSES), signs)]
    kinds += [None] * int(random.integers(0, MAX_IMPOSTORS + 1))
    low, high = (math.log(height) for height in HEIGHTS)
    scales = np.exp(random.uniform(low, high, len(kinds)))
    return [(float(scales[index]), kinds[index]) for index in np.argsort(scales)]


def _free(
    random: np.random.Generator,
    print_: Image.Image,
    height: float,
    size: tuple[int, int],
    signs: Sequence[_Seen],
) -> Placed | None:
    """The print where it may be; ``None`` where there was no room in a few tries."""
    for _ in range(TRIES):
        placed = Placed.drawn(random, print_, height, size)
        box = placed.box()
        inside = _area(_inside(box, size)) >= (1 - HIDDEN) * _area(box)
        if inside and all(sign.behind(placed.corners).hidden <= HIDDEN for sign in signs):
            return placed
    return None


def _window(corners: np.ndarray) -> tuple[int, int, int, int]:
    left, top = (int(v) - MARGIN for v in np.floor(corners.min(axis=0)))
    right, bottom = (int(v) + MARGIN for v in np.ceil(corners.max(axis=0)))
    return left, top, right, bottom


def _inside(box: Box, size: tuple[int, int]) -> Box:
    (left, top, right, bottom), (width, height) = box, size
    return max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height))


def _common(first: Box, second: Box) -> float:
    """The area that two boxes have in common."""
    left, top = max(first[0], second[0]), max(first[1], second[1])
    return _area((left, top, min(first[2], second[2]), min(first[3], second[3])))


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
