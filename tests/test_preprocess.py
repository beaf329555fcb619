"""The one truth for pixels, held to Pillow itself."""

from __future__ import annotations

import io
import struct
import sys
import warnings
import zlib
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgenet.agent import decoding
from edgenet.agent.preprocess import can_decode, decode, encode_ppm, fit

PILLOW = {
    "bilinear-antialias": Image.Resampling.BILINEAR,
    "bicubic-antialias": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
}


def noise(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


def pillow(image: np.ndarray, rows: int, columns: int, name: str) -> np.ndarray:
    """Columns first, then rows: two calls, because Pillow's own order depends on its release."""
    wide = Image.fromarray(image).resize((columns, image.shape[0]), PILLOW[name])
    return np.asarray(wide.resize((columns, rows), PILLOW[name]))


@pytest.mark.parametrize("name", PILLOW)
@pytest.mark.parametrize(
    ("rows", "columns", "high", "wide"),
    [(9, 31, 20, 12), (40, 7, 11, 19), (8, 8, 8, 3), (480, 640, 224, 224)],
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
@settings(max_examples=60)
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
        (b"P6\n000000002 1\n255\nabcdef", "header"),
        (b"P6\nx 1\n255\nabc", "header"),
        (b"P6\n1 -1\n255\nabc", "header"),
        (b"P6\n1 1", "header"),
        (b"P6\n1 1\n0\nabc", "image"),
        (b"P6\n1 1\n65536\nabcdef", "image"),
        (b"P6\n1 1\n255\nab", "image"),
        (b"P6\n1 1\n255\nabcd", "image"),
        (b"P6\n1 1\n255", "header"),
        (b"P6\n0 5\n255\n", "image"),
        (b"P6\n5 0\n255\n", "image"),
    ],
)
def test_a_damaged_ppm_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=f"a damaged PPM {message}"):
        decode(data)


def test_images_up_to_64_megapixels_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decoding.MAX_PIXELS == 67_108_864
    monkeypatch.setattr(decoding, "MAX_PIXELS", 6)
    for rows, columns, fits in ((2, 3, True), (3, 2, True), (1, 7, False), (7, 1, False)):
        stream = io.BytesIO()
        Image.fromarray(noise(rows, columns)).save(stream, "PNG")
        for data in (stream.getvalue(), encode_ppm(noise(rows, columns))):
            if fits:
                assert np.array_equal(decode(data), noise(rows, columns))
            else:
                with pytest.raises(ValueError, match="megapixels|damaged PPM"):
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


def encoded(image: Image.Image, form: str, **how: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **how)  # type: ignore[arg-type]
    return stream.getvalue()


def png16(values: np.ndarray) -> bytes:
    """A PNG of uint16 [rows, columns, channels], which Pillow does not write in color (RFC 2083)."""
    rows, columns, channels = values.shape
    header = struct.pack(">IIBBBBB", columns, rows, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_are_the_eight_bit_picture(channels: int) -> None:
    """Pillow alone makes 255 of every gray above 255: 99.6 % of the pixels."""
    picture = np.random.default_rng(1).integers(0, 256, (32, 40, channels), dtype=np.uint8)
    wanted = np.repeat(picture[:, :, :1], 3, axis=2) if channels < 3 else picture[:, :, :3]
    low, deep = np.random.default_rng(2).integers(0, 256, picture.shape), picture.astype(int)
    for values in (deep * 257, deep << 8, (deep << 8) + low):
        found = decode(png16(values.astype(np.uint16)))
        assert np.abs(found.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_sixteen_bit_gray_of_every_container_is_the_same(order: str) -> None:
    values = np.arange(0, 65536, 16, np.uint16).reshape(64, 64)
    mode = "I;16B" if order == ">u2" else "I;16"
    tiff = encoded(Image.frombytes(mode, (64, 64), values.astype(order).tobytes()), "TIFF")
    pgm = b"P5 64 64 65535\n" + values.astype(">u2").tobytes()
    wanted = np.repeat(np.round(values / 257.0).astype(np.uint8)[:, :, None], 3, axis=2)
    for data in (tiff, pgm, png16(values[:, :, None])):
        assert np.array_equal(decode(data), wanted)
    with mock.patch.dict(sys.modules, {"PIL": None}):
        assert np.array_equal(decode(pgm), wanted)


@pytest.mark.parametrize(
    ("image", "kind"),
    [(Image.new("F", (4, 3), 0.5), "floating-point"), (Image.new("I", (4, 3), 70_000), "32-bit")],
)
def test_pixels_without_a_range_are_refused(image: Image.Image, kind: str) -> None:
    with pytest.raises(ValueError, match=f"{kind} pixels"):
        decode(encoded(image, "TIFF"))


def test_each_mode_becomes_what_is_written_in_the_page() -> None:
    picture = noise(16, 20)
    rgb = Image.fromarray(picture)
    clear = rgb.convert("RGBA")
    clear.putalpha(0)
    assert np.array_equal(decode(encoded(clear, "PNG")), picture), "alpha is dropped, not blended"
    ink = Image.frombytes("CMYK", (16, 15), noise(16, 20, 3).tobytes())
    assert np.array_equal(decode(encoded(ink, "TIFF")), np.asarray(ink.convert("RGB")))
    few = rgb.convert("P")
    for how in ({}, {"transparency": 3}, {"transparency": bytes(range(256))}):
        assert np.array_equal(decode(encoded(few, "PNG", **how)), np.asarray(few.convert("RGB")))
    bits = rgb.convert("1")
    assert np.array_equal(decode(encoded(bits, "PNG"))[:, :, 0], np.asarray(bits).astype(np.uint8) * 255)
    gray = rgb.convert("LA")
    assert np.array_equal(decode(encoded(gray, "PNG"))[:, :, 1], np.asarray(gray)[:, :, 0])


@pytest.mark.parametrize("side", [9000, 10_000, 50_000])
def test_headers_of_too_many_pixels_are_named_and_cost_nothing(side: int) -> None:
    header = png16(np.zeros((1, 1, 3), np.uint16))
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = header[:12] + ihdr + struct.pack(">I", zlib.crc32(ihdr)) + header[33:]
    with warnings.catch_warnings(record=True) as told, pytest.raises(ValueError, match="more than 64 mega"):
        decode(data)
    assert not told


def test_no_message_tells_an_address() -> None:
    with pytest.raises(ValueError, match="not a readable image") as caught:
        decode(b"no image at all")
    assert "0x" not in str(caught.value)


def test_formats_are_named() -> None:
    assert can_decode() == ["ppm", "jpeg", "png"]
