"""The one truth for pixels, held to Pillow itself."""

from __future__ import annotations

import io
import sys
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgenet.agent.preprocess import can_decode, decode, encode_ppm, fit

PILLOW = {"bilinear-antialias": Image.Resampling.BILINEAR, "bicubic-antialias": Image.Resampling.BICUBIC}


def noise(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


def pillow(image: np.ndarray, rows: int, columns: int, name: str) -> np.ndarray:
    """Columns first, then rows: two calls, because Pillow's own order depends on its release."""
    wide = Image.fromarray(image).resize((columns, image.shape[0]), PILLOW[name])
    return np.asarray(wide.resize((columns, rows), PILLOW[name]))


@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.integers(1, 70),
    st.integers(1, 70),
    st.sampled_from(sorted(PILLOW)),
)
@settings(max_examples=60, deadline=None)
def test_stretch_is_pillow_to_the_bit(rows: int, columns: int, high: int, wide: int, name: str) -> None:
    image = noise(rows, columns)
    spec = {"size": [high, wide], "resize": "stretch", "resize_to": None, "interpolation": name}
    expected = pillow(image, high, wide, name)
    assert np.array_equal(fit(image, spec), expected)
    with mock.patch.dict(sys.modules, {"PIL": None}):
        assert np.array_equal(fit(image, spec), expected), "a board without Pillow sees other pixels"


@pytest.mark.parametrize(("rows", "columns"), [(300, 400), (400, 300), (256, 256), (500, 257)])
def test_short_side_and_center_crop_are_torchvision(rows: int, columns: int) -> None:
    """torchvision: Resize(256) keeps int(256 * long / short), CenterCrop rounds half of what is over."""
    image = noise(rows, columns)
    spec = {
        "size": [224, 200],
        "resize": "short-side",
        "resize_to": 256,
        "interpolation": "bilinear-antialias",
    }
    short, long = sorted((rows, columns))
    full = (256, int(256 * long / short)) if rows <= columns else (int(256 * long / short), 256)
    whole = pillow(image, *full, "bilinear-antialias")
    top, left = round((full[0] - 224) / 2), round((full[1] - 200) / 2)
    assert np.array_equal(fit(image, spec), whole[top : top + 224, left : left + 200])


def test_plain_bilinear_does_not_widen() -> None:
    """Half-pixel bilinear at exactly half the size averages two neighbors and ignores the others."""
    image = np.zeros((1, 8, 3), np.uint8)
    image[0, 2] = 200
    spec = {"size": [1, 2], "resize": "stretch", "resize_to": None, "interpolation": "bilinear"}
    assert fit(image, spec)[0, :, 0].tolist() == [100, 0]
    assert fit(image, {**spec, "interpolation": "bilinear-antialias"})[0, :, 0].tolist() != [100, 0]


def test_none_keeps_the_image_and_refuses_another_size() -> None:
    image = noise(6, 5)
    spec = {"size": [6, 5], "resize": "none", "resize_to": None, "interpolation": "bilinear"}
    assert np.array_equal(fit(image, spec), image)
    with pytest.raises(ValueError, match="5x6, the network takes 6x5"):
        fit(noise(5, 6), spec)


def test_ppm_goes_there_and_back() -> None:
    image = noise(7, 9)
    assert np.array_equal(decode(encode_ppm(image)), image)


@given(st.binary(max_size=64))
@settings(max_examples=200)
def test_any_bytes_are_an_image_or_a_value_error(data: bytes) -> None:
    for candidate in (data, b"P6" + data):
        try:
            result = decode(candidate)
        except ValueError:
            continue
        assert result.dtype == np.uint8
        assert result.shape[2] == 3


def test_a_truncated_jpeg_is_refused() -> None:
    stream = io.BytesIO()
    Image.fromarray(noise(64, 64)).save(stream, "JPEG")
    assert decode(stream.getvalue()).shape == (64, 64, 3)
    with pytest.raises(ValueError, match="not a readable image"):
        decode(stream.getvalue()[:-200])


def test_grey_and_transparent_images_become_rgb() -> None:
    for mode in ("L", "RGBA", "P", "CMYK"):
        stream = io.BytesIO()
        Image.new(mode, (4, 3)).save(stream, "TIFF")
        assert decode(stream.getvalue()).shape == (3, 4, 3)


def test_formats_are_named() -> None:
    assert can_decode() == ["ppm", "jpeg", "png"]
