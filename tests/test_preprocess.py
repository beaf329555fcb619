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

from edgenet.agent import preprocess
from edgenet.agent.preprocess import can_decode, decode, encode_ppm, fit

PILLOW = {"bilinear-antialias": Image.Resampling.BILINEAR, "bicubic-antialias": Image.Resampling.BICUBIC}


def noise(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


def pillow(image: np.ndarray, rows: int, columns: int, name: str) -> np.ndarray:
    """Columns first, then rows: two calls, because Pillow's own order depends on its release."""
    wide = Image.fromarray(image).resize((columns, image.shape[0]), PILLOW[name])
    return np.asarray(wide.resize((columns, rows), PILLOW[name]))


@pytest.mark.parametrize("name", PILLOW)
@pytest.mark.parametrize(
    ("rows", "columns", "high", "wide"), [(9, 31, 20, 12), (40, 7, 11, 19), (8, 8, 8, 3)]
)
def test_these_sizes_are_pillow_to_the_bit(rows: int, columns: int, high: int, wide: int, name: str) -> None:
    image = noise(rows, columns)
    spec = {"size": [high, wide], "resize": "stretch", "resize_to": None, "interpolation": name}
    expected = pillow(image, high, wide, name)
    with mock.patch.dict(sys.modules, {"PIL": None}):
        assert np.array_equal(fit(image, spec), expected)
    assert np.array_equal(fit(image, spec), expected)


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


def test_ppm_needs_no_pillow() -> None:
    with mock.patch.dict(sys.modules, {"PIL": None}):
        assert np.array_equal(decode(encode_ppm(noise(7, 9))), noise(7, 9))
        with pytest.raises(ValueError, match="without Pillow"):
            decode(b"\x89PNG")
        assert can_decode() == ["ppm"]


def test_the_smallest_ppm_and_the_longest_numbers() -> None:
    assert decode(b"P6 1 1 255 abc").tolist() == [[[97, 98, 99]]]
    assert decode(b"P6\n0000002 0000001\n0000255\nabcdef").shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"P6\n00000002 1\n255\nabcdef", "header"),
        (b"P6\nx 1\n255\nabc", "header"),
        (b"P6\n\n1 1\n255\nabc", "header"),
        (b"P6\n1 -1\n255\nabc", "header"),
        (b"P6\n1 1", "header"),
        (b"P6\n1 1\n254\nabc", "image"),
        (b"P6\n1 1\n255\nab", "image"),
        (b"P6\n1 1\n255\nabcd", "image"),
        (b"P6\n1 1\n255", "image"),
        (b"P6\n0 5\n255\n", "image"),
        (b"P6\n5 0\n255\n", "image"),
    ],
)
def test_a_damaged_ppm_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"a damaged PPM {message}"):
        decode(data)


def test_images_up_to_64_megapixels_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert preprocess.MAX_PIXELS == 67_108_864
    monkeypatch.setattr(preprocess, "MAX_PIXELS", 6)
    for rows, columns, fits in ((2, 3, True), (3, 2, True), (1, 7, False), (7, 1, False)):
        stream = io.BytesIO()
        Image.fromarray(noise(rows, columns)).save(stream, "PNG")
        for data in (stream.getvalue(), encode_ppm(noise(rows, columns))):
            if fits:
                assert np.array_equal(decode(data), noise(rows, columns))
            else:
                with pytest.raises(ValueError, match="64 megapixels|damaged PPM"):
                    decode(data)


@pytest.mark.parametrize(
    ("error", "said"),
    [(OSError("cut off"), "cut off"), (EOFError(), "EOFError")],
)
def test_the_reason_is_named_whatever_pillow_raises(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "open", mock.Mock(side_effect=error))
    with pytest.raises(ValueError, match=rf"not a readable image \({said}\)"):
        decode(b"anything")


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3)])
def test_an_image_without_pixels_is_refused(shape: tuple[int, ...]) -> None:
    for resize in ("stretch", "short-side", "none"):
        spec = {"size": [6, 5], "resize": resize, "resize_to": 8, "interpolation": "bilinear"}
        with pytest.raises(ValueError, match="without pixels"):
            fit(np.zeros(shape, np.uint8), spec)


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
