"""Keras files of strangers, with their own cards: what the folder's README says they score."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.verify.reference import Reference

SHARED = Path(os.environ.get("EDGENET_SHARED", "/nowhere")) / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (SHARED / "keras").is_dir(), reason="EDGENET_SHARED holds no data/keras"),
]
# File, the card where it is not beside it, and right answers of 250 in Keras itself.
SCORES = {
    "mobilenet_v1_025_96_flowers_fft.h5": ("", 220),
    "mobilenet_v1_025_96_flowers_fft_keras2.keras": ("mobilenet_v1_025_96_flowers_fft.toml", 220),
    "mobilenet_v1_025_96_flowers_fft_keras3.keras": ("mobilenet_v1_025_96_flowers_fft.toml", 220),
    "mobilenet_v1_025_96_flowers_tfs.h5": ("", 211),
    "mobilenet_v1_025_96_flowers_grayscale.h5": ("", 178),
    "mobilenet_v2_035_128_flowers_fft.h5": ("", 233),
    "fdmobilenet_v1_224_flowers.h5": ("", 228),
}
# Output values of the others; benchmarks/importers.py scores them too.
CLASSES = {
    "mobilenet_v1_025_224_flowers_fft.h5": 5,
    "mobilenet_v1_025_224_flowers_tfs.h5": 5,
    "mobilenet_v1_025_224_flowers_tl.h5": 5,
    "mobilenet_v1_025_224_food101_fft.h5": 101,
    "mobilenet_v1_025_224_imagenet.h5": 1000,
    "mobilenet_v1_025_96_vww.h5": 2,
    "mobilenet_v1_050_224_flowers_fft.h5": 5,
    "mobilenet_v2_035_128_person_fft.h5": 1,
    "mobilenet_v2_035_224_flowers_fft.h5": 5,
}


@pytest.mark.parametrize("name", SCORES)
def test_it_scores_what_it_scores_in_keras(name: str) -> None:
    card, right = SCORES[name]
    folder = SHARED / "keras"
    model = Model.load(folder / name, folder / card if card else None)
    images = ImageSet.load(SHARED / "flowers" / "val")
    network = Reference(model.proto, model.preprocessing, model.task)
    answers = np.stack([network.run(pixels) for pixels in images.all_pixels(model.preprocessing)])
    truth = model.task.truth(images, model.classes)
    assert truth is not None
    assert round(model.task.quality(answers, truth) * len(images)) == right


@pytest.mark.parametrize("name", CLASSES)
def test_it_is_read(name: str) -> None:
    assert Model.load(SHARED / "keras" / name).classes == CLASSES[name]


def test_every_file_is_among_them() -> None:
    files = {path.name for path in (SHARED / "keras").iterdir() if path.suffix in (".h5", ".keras")}
    assert files == {*SCORES, *CLASSES}
