"""A camera's view of a printed sign: one seed, one JPEG.

Order of the light: backdrop, the print (cut out or on paper, held or not) in perspective with its
shadow, something in front of it, light and shade, defocus and motion, the sensor, JPEG.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from edgenet.zoo.signs import LABELS
from edgenet.zoo.signs.backdrop import backdrop
from edgenet.zoo.signs.camera import take
from edgenet.zoo.signs.faces import face, impostor
from edgenet.zoo.signs.placing import Placed

__all__ = ["SIZE", "photograph"]

SIZE = 128
SCENE = 2 * SIZE
NO_SIGN = len(LABELS) - 1
HEIGHTS = (0.38, 0.92)  # of a print, over the picture's


def photograph(seed: Sequence[int], label: int) -> bytes:
    """Take one picture.

    Args:
        seed: Entropy for numpy's ``default_rng``; the same seed and label give the same picture.
        label: Index into ``LABELS``.

    Returns:
        A baseline JPEG, 128x128 pixels, RGB.
    """
    random = np.random.default_rng([*seed, label])
    scene = backdrop(random, SCENE)
    if label != NO_SIGN:
        _show(random, scene, face(label))
    elif random.random() < 0.6:
        _show(random, scene, impostor(random))
    return take(random, scene)


def _show(random: np.random.Generator, scene: Image.Image, print_: Image.Image) -> None:
    height = random.uniform(*HEIGHTS) * SCENE
    Placed.drawn(random, print_, height, scene.size).put_into(random, scene, (0, 0, *scene.size))
