"""simplejpeg and Pillow decode to the same pixels, in full and scaled, and refuse the same."""

from __future__ import annotations

import io
import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgenet.agent import decoding, exif
from edgenet.agent.decoding import decode, opened
from edgenet.agent.preprocess import covers, fit, pixels_of

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")


def picture(rows: int, columns: int) -> Image.Image:
    """Smooth shapes with some noise, as photographs have them."""
    random = np.random.RandomState(rows + columns)
    coarse = Image.fromarray(random.randint(0, 256, (9, 12, 3)).astype(np.uint8))
    smooth = np.asarray(coarse.resize((columns, rows), Image.Resampling.BICUBIC), np.int16)
    return Image.fromarray(np.clip(smooth + random.randint(-9, 10, smooth.shape), 0, 255).astype(np.uint8))


def jpeg(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", **{"quality": 90, **options})
    return stream.getvalue()


def by_pillow(data: bytes, spec: dict) -> np.ndarray:
    with mock.patch.object(decoding, "_SIMPLEJPEG", None):
        return np.array(opened(data, spec))


def spec(name: str = "bilinear-antialias", **changes: object) -> dict:
    return {"size": [64, 64], "resize": "short-side", "resize_to": 72, "interpolation": name, **changes}


def test_simplejpeg_is_here() -> None:
    assert isinstance(opened(jpeg(picture(40, 60)), {}), np.ndarray)


@pytest.mark.parametrize("subsampling", SUBSAMPLINGS)
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(480, 640), (97, 131), (33, 16), (1, 1)])
def test_both_decode_the_same(subsampling: str, progressive: bool, rows: int, columns: int) -> None:
    data = jpeg(picture(rows, columns), subsampling=subsampling, progressive=progressive)
    assert np.array_equal(opened(data, {}), by_pillow(data, {}))
    for scaled in (spec(decode="scaled"), spec(decode="scaled", size=[8, 8], resize_to=8)):
        assert np.array_equal(opened(data, scaled), by_pillow(data, scaled))


@given(st.integers(8, 700), st.integers(8, 700), st.sampled_from(SUBSAMPLINGS), st.integers(8, 200))
@settings(max_examples=40)
def test_both_scale_the_same(rows: int, columns: int, subsampling: str, short: int) -> None:
    data = jpeg(picture(rows, columns), subsampling=subsampling)
    how = spec(decode="scaled", size=[8, 8], resize_to=short)
    found = np.array(opened(data, how))
    assert np.array_equal(found, by_pillow(data, how))
    factor = -(-rows // found.shape[0])
    assert found.shape[:2] == (-(-rows // factor), -(-columns // factor))
    assert covers(*found.shape[:2], how) or factor == 1
    assert factor == 8 or not covers(-(-rows // (2 * factor)), -(-columns // (2 * factor)), how)


@pytest.mark.parametrize(
    ("rows", "columns", "seen"),
    [(480, 640, (480, 640)), (720, 1280, (360, 640)), (1080, 1920, (270, 480)), (3000, 4000, (375, 500))],
)
def test_no_more_is_decoded_than_needed(rows: int, columns: int, seen: tuple[int, int]) -> None:
    how = spec(decode="scaled", size=[224, 224], resize_to=256)
    data = jpeg(picture(rows, columns))
    assert np.asarray(opened(data, how)).shape[:2] == seen
    assert pixels_of(data, how).shape == (224, 224, 3)


def test_turned_pictures_are_scaled_by_what_is_seen() -> None:
    image = picture(200, 100)
    tag = Image.Exif()
    tag[0x0112] = 6
    data = jpeg(image, exif=tag.tobytes())
    assert exif.orientation(data) == 6
    how = spec(decode="scaled", resize="stretch", size=[25, 60], orientation="apply")
    assert np.asarray(opened(data, how)).shape[:2] == (50, 100)  # upright it is 100x200: a half covers 25x60
    assert np.array_equal(opened(data, how), by_pillow(data, how))


def test_gray_and_ink() -> None:
    gray = jpeg(picture(50, 70).convert("L"))
    assert np.array_equal(opened(gray, {}), by_pillow(gray, {}))
    ink = jpeg(picture(50, 70).convert("CMYK"))
    assert np.array_equal(opened(ink, {}), by_pillow(ink, {}))


@pytest.mark.parametrize("cut", [3, 100, 0.5, 0.9])
def test_what_is_cut_off_is_refused_by_both(cut: float) -> None:
    data = jpeg(picture(120, 160))
    short = data[: int(cut if cut > 1 else cut * len(data))]
    for way in (lambda: opened(short, {}), lambda: by_pillow(short, {})):
        with pytest.raises(ValueError, match="readable image"):
            way()


def test_too_many_pixels_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS", 100)
    with pytest.raises(ValueError, match="12x10 pixels, more than"):
        decode(jpeg(picture(10, 12)))


def test_decode_gives_an_array_of_its_own() -> None:
    one, other = (jpeg(picture(30, 40 + more)) for more in (0, 1))
    first = decode(one)
    again = first.copy()
    decode(other)
    opened(other, {})
    assert np.array_equal(first, again)
    first[:] = 0  # it may be written to


@pytest.mark.parametrize("name", ["bilinear", "opencv-linear", "opencv-cubic", "opencv-area", "tf-bilinear"])
def test_nothing_is_allocated_once_the_buffers_are_there(name: str) -> None:
    data, how = jpeg(picture(480, 640)), spec(name, size=[224, 224], resize_to=256)
    out = np.empty((224, 224, 3), np.uint8)
    for _ in range(3):
        fit(opened(data, how), how, out)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    fit(opened(data, how), how, out)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - before < out.nbytes  # no picture, no plane, no window
