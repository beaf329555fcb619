"""Pictures in a report: readable by Pillow, small, and of the right image."""

from __future__ import annotations

import base64
import io
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image

from edgenet.drift import Worst
from edgenet.measure.worst_images import png, shown
from edgenet.tasks.classification import Classification


def test_a_png_is_what_pillow_reads() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png(pixels)))), pixels)


def test_names_and_pictures() -> None:
    images = [np.full((200, 224, 3), 10 * index, np.uint8) for index in range(3)]
    expected: Any = SimpleNamespace(
        pixels=lambda index: images[index], truth=[0, 1, 1], names=["a.jpg", "b.jpg", "c.jpg"]
    )
    task = Classification("logits", ("cat", "dog"), 1)
    (item,) = shown([Worst(file="a.jpg", index=2, max_abs=1.0, answer=1, reference=9)], expected, task)
    assert (item.answer_label, item.reference_label, item.label) == ("cat", "output 9", "dog")
    picture = Image.open(io.BytesIO(base64.b64decode((item.thumbnail or "").partition(",")[2])))
    assert max(picture.size) <= 96
    assert picture.getpixel((3, 3)) == (20, 20, 20)
