"""Exif orientation without any library, held to Pillow."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from edgenet.agent.exif import orientation, upright

PICTURE = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def photo(turned, form="JPEG", **how):
    tags = Image.Exif()
    tags[0x010F] = "a camera"
    tags[0x0112] = turned
    stream = io.BytesIO()
    Image.fromarray(PICTURE).save(stream, form, exif=tags, **how)
    return stream.getvalue()


def tiff(order, turned, kind=3, count=1):
    """The least Exif data: one tag."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    form = {3: "Hxx", 4: "I", 1: "Bxxx"}[kind]
    return mark + struct.pack(order + "IHHHI" + form, 8, 1, 0x0112, kind, count, turned)


def jpeg(*segments):
    joined = b"".join(
        b"\xff" + bytes([kind]) + struct.pack(">H", len(data) + 2) + data for kind, data in segments
    )
    return b"\xff\xd8" + joined + photo(1)[2:]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turned", range(1, 9))
def test_every_orientation_is_pillows(form, turned):
    data = photo(turned, form)
    assert orientation(data) == turned
    with Image.open(io.BytesIO(data)) as image:
        stored, wanted = (
            np.asarray(image.convert("RGB")),
            np.asarray(ImageOps.exif_transpose(image).convert("RGB")),
        )
    assert np.array_equal(upright(stored, turned), wanted)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
def test_both_byte_orders_behind_any_segment(order, kind):
    exif = b"Exif\0\0" + tiff(order, 6, kind)
    assert (
        orientation(jpeg((0xE0, b"JFIF\0"), (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"), (0xE1, exif))) == 6
    )
    assert orientation(b"\xff\xd8\xff\xff\xff\xe1" + jpeg((0xE1, exif))[4:]) == 6, (
        "fill bytes before a marker"
    )


@pytest.mark.parametrize(
    "tags",
    [
        tiff("<", 0), tiff("<", 9), tiff("<", 6, 1), tiff("<", 6, 3, 2), tiff("<", 6)[:-4], tiff("<", 6)[:9],
        b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", b"XX" + tiff("<", 6)[2:],
    ],
)  # fmt: skip
def test_damaged_tags_say_nothing(tags):
    assert orientation(jpeg((0xE1, b"Exif\0\0" + tags))) == 1


def test_what_has_no_tags_stands_as_it_is():
    for data in (
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xda" + tiff("<", 6),
        b"P6 1 1 255\n",
        b"RIFF0000WEBP",
    ):
        assert orientation(data) == 1


@given(st.binary(max_size=200), st.sampled_from([0, 1, 2, 3]))
@settings(max_examples=500)
def test_any_bytes_have_an_orientation(data, form):
    begin = (b"", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP")[form]
    assert orientation(begin + data) in range(1, 9)


@given(st.integers(0, 200), st.integers(0, 255), st.integers(2, 8))
@settings(max_examples=300)
def test_a_damaged_byte_never_raises(at, value, turned):
    data = bytearray(photo(turned))
    data[at] = value
    assert orientation(bytes(data)) in range(1, 9)
