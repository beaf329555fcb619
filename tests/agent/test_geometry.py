"""How pictures are framed, held to what Keras 3.15, TensorFlow 2.21 and timm 1.0.31 gave."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from edgenet.agent.preprocess import covers, fit

SIZES = [
    (480, 640, 224, 224), (640, 481, 224, 224), (301, 200, 96, 160), (100, 333, 224, 192),
    (224, 224, 224, 224), (77, 1000, 128, 96),
]  # fmt: skip
# The first 16 digits of the sha256 of each picture, noise of RandomState(rows), in the order of SIZES; of
# Keras and TensorFlow to the nearest whole values: keras.ops.image.resize with crop_to_aspect_ratio, with
# pad_to_aspect_ratio and fill_value 7; tf.image.central_crop(…, 0.875) and tf.image.resize;
# ResizeKeepRatio(longest=1, "bilinear") with CenterCropOrPad(fill=(124, 116, 104)); Resize((side, side),
# BICUBIC) and CenterCrop, side = int(max(size) / 0.875). "any": there Pillow 13 takes rows first, which older
# ones do not.
GOLDEN = {
    "crop-to-aspect": "2cf1a2b0324f9de4 3f371fc8e2e7e8f9 5e61f5d9773cccf4 62442fec4b796978 edf75282d282fecf "
    "42224f37cf805451",
    "pad-to-aspect": "9d68a0948e0738f7 70598dd49b34ac35 0b2a43bfb55076cb 3d369e9fca4ad548 edf75282d282fecf "
    "771c633b7dfccc99",
    "center-crop": "6fe6ea2b8dacdd21 0bb6f02e71172b31 1fa4fe1c1810666e dfbd3d038c654dea c5b751570c9a8c07 "
    "dcaeeb83f534b246",
    "letterbox": "ca6a0b0348efc93a 350d4025561e2b61 553802b71432fe87 4fa0e866b19eda16 edf75282d282fecf "
    "7cd1e6ffba2b91fe",
    "squash": "da5337cfa9fb9a43 9c20c151b89a4771 any 65ac74f35a756830 c348e1be6687456e 2762f0ccd823cc14",
}
FURTHER = {
    "crop-to-aspect": {"interpolation": "tf-bilinear"},
    "pad-to-aspect": {"interpolation": "tf-bilinear", "fill": [7, 7, 7]},
    "center-crop": {"interpolation": "tf-bilinear", "crop_fraction": 0.875},
    "letterbox": {"interpolation": "pillow-bilinear", "fill": [124, 116, 104]},
    "squash": {"interpolation": "pillow-bicubic"},
}


@pytest.mark.parametrize("resize", GOLDEN)
@pytest.mark.parametrize("case", range(len(SIZES)))
def test_frameworks(resize: str, case: int) -> None:
    rows, columns, high, wide = SIZES[case]
    image = np.random.RandomState(rows).randint(0, 256, (rows, columns, 3)).astype(np.uint8)
    spec = {
        "size": [high, wide],
        "resize": resize,
        "resize_to": int(max(high, wide) / 0.875),
        **FURTHER[resize],
    }
    found = fit(image, spec)
    assert found.shape == (high, wide, 3)
    assert GOLDEN[resize].split()[case] in ("any", hashlib.sha256(found.tobytes()).hexdigest()[:16])


@pytest.mark.parametrize(
    ("resize", "rows", "columns", "enough"),
    [
        ("short-side", 256, 341, True),
        ("short-side", 255, 640, False),
        ("stretch", 224, 224, True),
        ("stretch", 480, 223, False),
        ("none", 224, 224, True),
        ("none", 225, 224, False),
        ("squash", 256, 256, True),
        ("squash", 640, 255, False),
        ("center-crop", 256, 256, True),
        ("center-crop", 253, 400, False),
        ("crop-to-aspect", 224, 400, True),
        ("crop-to-aspect", 223, 400, False),
        ("letterbox", 100, 224, True),
        ("letterbox", 100, 223, False),
        ("pad-to-aspect", 10, 224, True),
        ("pad-to-aspect", 10, 222, False),
        ("stretch", 0, 5, False),
    ],
)
def test_what_covers_the_network(resize: str, rows: int, columns: int, enough: bool) -> None:
    spec = {"size": [224, 224], "resize": resize, "resize_to": 256, "crop_fraction": 0.875}
    assert covers(rows, columns, spec) is enough


def test_out_is_written_in_place() -> None:
    out = np.zeros((8, 8, 3), np.uint8)
    spec = {"size": [8, 8], "resize": "stretch", "interpolation": "bilinear"}
    image = np.random.RandomState(1).randint(1, 256, (20, 30, 3)).astype(np.uint8)
    assert fit(image, spec, out) is out
    assert np.array_equal(out, fit(image, spec))


@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize(
    "name", ["bilinear-antialias", "bilinear", "opencv-linear", "opencv-area", "tf-bilinear", "nearest"]
)
def test_planes_are_fitted_like_channels(channels: int, name: str) -> None:
    image = np.random.RandomState(1).randint(1, 256, (60, 90, 3)).astype(np.uint8)
    spec = {"size": [24, 24], "resize": "short-side", "resize_to": 32, "interpolation": name}
    expected = fit(image, spec)
    planes = np.ascontiguousarray(np.take(image, [0, 1, 2, 0][:channels], 2))
    assert np.array_equal(fit(planes, spec), np.take(expected, [0, 1, 2, 0][:channels], 2))
