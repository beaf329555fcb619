"""What the demo's synthetic camera shows: scenes and signs, drawn here once and moved about on the board."""

from __future__ import annotations

import functools
import itertools
import json
import zlib

import numpy as np
from PIL import Image, ImageFilter

from edgenet.zoo.signs import LABELS
from edgenet.zoo.signs.backdrop import backdrop
from edgenet.zoo.signs.faces import face

__all__ = ["drawings"]

WIDTH, HEIGHT = 640, 480
SEEDS = (48, 23, 28)  # two streets and foliage
# Heights of signs over the picture's: of one alone, and of several.
SHARES = {1: (0.62,), 4: (0.44, 0.2, 0.32, 0.26, 0.38)}
# Nearly all of them; the last one, "no sign", is a picture of nothing.
NOTHING = Image.new("RGBA", (2, 2), (0, 0, 0, 0))


@functools.cache
def drawings(width: int = WIDTH, height: int = HEIGHT, together: int = 1) -> bytes:
    """The drawings in the form of ``edgenet/agent/demo/sources/synthetic.py``.

    Args:
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        together: Signs in a picture: 1, or 4 of different sizes.

    Returns:
        One JSON line, then zlib of RGB scenes and RGBA signs.
    """
    scenes = [_scene(seed, width, height) for seed in SEEDS]
    shares = itertools.cycle(SHARES[together])
    signs = [(label, _sign(index, round(height * next(shares)))) for index, label in enumerate(LABELS[:-1])]
    signs.append((LABELS[-1], NOTHING))
    head = {
        "scenes": [[width, height]] * len(scenes),
        "signs": [[label, *sign.size] for label, sign in signs],
        "together": together,
    }
    body = b"".join(image.tobytes() for image in (*scenes, *(sign for _, sign in signs)))
    return json.dumps(head).encode() + b"\n" + zlib.compress(body, 5)


def _scene(seed: int, width: int, height: int) -> Image.Image:
    """A backdrop, the middle of a square one."""
    side = max(width, height)
    square = backdrop(np.random.default_rng(seed), side)
    left, top = (side - width) // 2, (side - height) // 2
    return square.crop((left, top, left + width, top + height))


def _sign(index: int, size: int) -> Image.Image:
    """A sign as a camera sees it: a little soft, not at full contrast."""
    sign = face(index).resize((size, size), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(0.8))
    dulled = np.array(sign, np.float32)
    dulled[..., :3] = dulled[..., :3] * 0.86 + 14
    return Image.fromarray(dulled.astype(np.uint8), "RGBA")
