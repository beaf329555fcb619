"""Photographs as a camera's frames: their size, their bytes, their colors."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from edgenet.agent import planes
from edgenet.agent.preprocess import encode_ppm
from edgenet.frame import FORMS, Frame
from edgenet.measure.frame_pictures import frame_pictures

# Y, Cb, Cr of the 100 % color bars in BT.601's studio range, as published for test signals.
BARS = {
    (255, 255, 255): (235, 128, 128), (255, 255, 0): (210, 16, 146), (0, 255, 255): (170, 166, 16),
    (0, 255, 0): (145, 54, 34), (255, 0, 255): (106, 202, 222), (255, 0, 0): (81, 90, 240),
    (0, 0, 255): (41, 240, 110), (0, 0, 0): (16, 128, 128),
}  # fmt: skip


def one(image: np.ndarray, frame: Frame, orientation: str = "ignore") -> bytes:
    (made,) = frame_pictures([encode_ppm(image)], frame, orientation)
    return made


def flat(color: tuple[int, int, int], rows: int = 16, columns: int = 16) -> np.ndarray:
    return np.broadcast_to(np.array(color, np.uint8), (rows, columns, 3))


@pytest.mark.parametrize(("rgb", "yuv"), BARS.items())
def test_the_colors_of_test_signals(rgb: tuple[int, int, int], yuv: tuple[int, int, int]) -> None:
    luma, blue, red = yuv
    assert one(flat(rgb), Frame(16, 16, "rgb")) == bytes(rgb) * 256
    assert one(flat(rgb), Frame(16, 16, "yuyv")) == bytes((luma, blue, luma, red)) * 128
    assert one(flat(rgb), Frame(16, 16, "nv12")) == bytes([luma]) * 256 + bytes((blue, red)) * 64
    planar = one(flat(rgb), Frame(16, 16, "yuv420"))
    assert planar == bytes([luma]) * 256 + bytes([blue]) * 64 + bytes([red]) * 64


def test_pixels_that_share_a_color_have_its_mean() -> None:
    """Columns of red and blue: each keeps its own light, and all have the color between them."""
    image = np.zeros((16, 16, 3), np.uint8)
    image[:, 0::2], image[:, 1::2] = (255, 0, 0), (0, 0, 255)
    assert one(image, Frame(16, 16, "yuyv")) == bytes((81, 165, 41, 175)) * 128


def test_a_frame_of_jpeg_is_one_at_quality_90_with_two_by_two_pixels_a_color() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    data = one(picture, Frame(64, 48))
    with Image.open(io.BytesIO(data)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (64, 48))
        assert [layer[1:3] for layer in opened.layer] == [(2, 2), (1, 1), (1, 1)]
        plain = io.BytesIO()
        Image.fromarray(picture).save(plain, "JPEG", quality=90)
        with Image.open(plain) as other:
            assert opened.quantization == other.quantization


@pytest.mark.parametrize(("rows", "columns"), [(10, 400), (400, 10), (1, 1), (48, 64), (300, 301)])
@pytest.mark.parametrize("form", FORMS)
def test_any_photograph_fills_any_frame(rows: int, columns: int, form: str) -> None:
    frame = Frame(64, 48, form)
    data = one(flat((200, 100, 50), rows, columns), frame)
    kind = FORMS[form].kind
    if form != "jpeg":
        assert len(data) == planes.length(kind, (64, 48))
        seen = planes.rgb(kind, data, (64, 48))
        assert np.abs(seen.astype(int) - (200, 100, 50)).max() <= 2


def test_the_middle_of_the_photograph_is_kept_and_not_squeezed() -> None:
    """Of a wide photograph with a black square in its middle a square frame sees that square only."""
    image = np.full((64, 192, 3), 255, np.uint8)
    image[:, 64:128] = 0
    assert one(image, Frame(64, 64, "rgb")) == bytes(64 * 64 * 3)
    turned = np.ascontiguousarray(image.swapaxes(0, 1))
    assert one(turned, Frame(64, 64, "rgb")) == bytes(64 * 64 * 3)


def test_a_photograph_is_turned_where_the_card_says_so() -> None:
    """Exif 6: to be turned by 90 degrees clockwise."""
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (64, 64), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 32, 64, 64))
    picture.save(stream, "PNG", exif=exif)
    for orientation, left, right in (("ignore", 128, 128), ("apply", 255, 0)):
        (made,) = frame_pictures([stream.getvalue()], Frame(64, 64, "rgb"), orientation)
        seen = np.frombuffer(made, np.uint8).reshape(64, 64, 3)
        assert abs(seen[:, :16].mean() - left) < 2
        assert abs(seen[:, 48:].mean() - right) < 2
