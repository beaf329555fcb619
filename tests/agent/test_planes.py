"""Raw pictures: against the equations of ITU-R BT.601 and BT.709 in float64, and pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.agent import planes, preprocess

STRETCH = {"size": [5, 7], "resize": "stretch", "interpolation": "bilinear-antialias"}
YUV = sorted(name for name, layout in planes.LAYOUTS.items() if layout[2])
# Kr and Kb as the recommendations print them (BT.601-7, 2.5.1; BT.709-6, 3.2), not from the code.
LUMA = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}


def expected(y: np.ndarray, u: np.ndarray, v: np.ndarray, color: str) -> np.ndarray:
    """RGB in float64 of planes of one size (BT.601-7, 2.5.1 to 2.5.4, turned around)."""
    red, blue = LUMA[color.removesuffix("-full")]
    y, u, v = y.astype(float), u - 128.0, v - 128.0
    if color.endswith("-full"):
        y, u, v = y / 255, u / 255, v / 255
    else:
        y, u, v = (y - 16) / 219, u / 224, v / 224
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.clip(255 * np.stack([r, g, b], -1), 0, 255)


class Picture:
    """Bytes of a layout, written a pixel at a time, and what each pixel's Y, U and V are."""

    def __init__(self, kind: str, width: int, height: int, padding: int = 0, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.kind, self.size = kind, (width, height)
        down, across = planes.LAYOUTS[kind][1:]
        wide, high = math.ceil(width / across), math.ceil(height / down)
        self.y = random.integers(0, 256, (height, width)).astype(np.uint8)
        self.u, self.v = (random.integers(0, 256, (high, wide)).astype(np.uint8) for _ in range(2))
        row = 4 * wide if kind in ("yuyv", "uyvy") else width
        self.stride = row + padding if padding else 0
        self.data = getattr(self, "_" + kind)(row + padding)
        self.planes = (
            self.y,
            *(
                np.array([[p[i // down, j // across] for j in range(width)] for i in range(height)])
                for p in (self.u, self.v)
            ),
        )

    def _yuyv(self, stride: int) -> bytes:
        data = bytearray(b"\x55" * (stride * self.size[1]))
        for (i, j), value in np.ndenumerate(self.y):
            data[stride * i + 2 * j] = value
        for (i, j), value in np.ndenumerate(self.u):
            data[stride * i + 4 * j + 1], data[stride * i + 4 * j + 3] = value, self.v[i, j]
        return bytes(data)

    def _uyvy(self, stride: int) -> bytes:
        """Each two bytes of YUYV the other way round."""
        data = bytearray(self._yuyv(stride))
        for start in range(0, len(data), stride):
            row = data[start : start + stride - stride % 2]
            row[::2], row[1::2] = row[1::2], row[::2]
            data[start : start + len(row)] = row
        return bytes(data)

    def _nv12(self, stride: int) -> bytes:
        start, even = stride * self.size[1], stride + stride % 2
        data = bytearray(b"\x55" * (start + even * len(self.u)))
        self._luma(data, stride)
        for (i, j), value in np.ndenumerate(self.u):
            place = start + even * i + 2 * j
            data[place], data[place + 1] = value, self.v[i, j]
        return bytes(data)

    def _yuv420(self, stride: int) -> bytes:
        start, half = stride * self.size[1], (stride + 1) // 2
        data = bytearray(b"\x55" * (start + 2 * half * len(self.u)))
        self._luma(data, stride)
        for plane in (self.u, self.v):
            for (i, j), value in np.ndenumerate(plane):
                data[start + half * i + j] = value
            start += half * len(plane)
        return bytes(data)

    def _luma(self, data: bytearray, stride: int) -> None:
        for (i, j), value in np.ndenumerate(self.y):
            data[stride * i + j] = value


@settings(max_examples=150)
@given(
    kind=st.sampled_from(YUV),
    width=st.integers(1, 13),
    height=st.integers(1, 11),
    padding=st.integers(0, 9),
    color=st.sampled_from(sorted(planes.COLORS)),
)
def test_every_pixel_of_every_layout(kind: str, width: int, height: int, padding: int, color: str) -> None:
    picture = Picture(kind, width, height, padding, seed=width * height)
    assert len(picture.data) == planes.length(kind, picture.size, picture.stride)
    found = planes.rgb(kind, picture.data, picture.size, picture.stride, color)
    assert found.shape == (height, width, 3)
    assert np.abs(found - expected(*picture.planes, color)).max() <= 0.51


@pytest.mark.parametrize("color", sorted(planes.COLORS))
def test_colors_that_studio_range_does_not_have_are_clipped(color: str) -> None:
    """A camera may give them; the brightest blue must not come out black."""
    corners = np.array([[y, u, v] for y in (0, 16, 235, 255) for u in (0, 128, 255) for v in (0, 255)])
    data = np.repeat(corners[:, None], 2, 1)  # each twice: a pair of YUYV
    flat = np.stack([data[:, 0, 0], data[:, 0, 1], data[:, 1, 0], data[:, 0, 2]], -1).astype(np.uint8)
    found = planes.rgb("yuyv", flat.tobytes(), (2, len(corners)), 0, color)[:, 0]
    assert np.abs(found - expected(*corners.T.astype(np.uint8), color)).max() <= 0.51


@pytest.mark.parametrize("resize", ["stretch", "short-side"])
@pytest.mark.parametrize("interpolation", preprocess.INTERPOLATIONS)
@pytest.mark.parametrize("size", [(64, 48), (48, 64), (63, 47), (40, 20)])
@pytest.mark.parametrize("kind", YUV)
def test_planes_give_what_the_whole_picture_gives(
    kind: str, size: tuple[int, int], interpolation: str, resize: str
) -> None:
    """On a picture of slow ramps, where the order of resampling and conversion does not matter."""
    width, height = size
    made = Picture(kind, width, height, padding=6)
    ramps = np.mgrid[0:height, 0:width]
    picture = Picture.__new__(Picture)
    picture.kind, picture.size = kind, size
    picture.y = (60 + ramps.sum(0)).astype(np.uint8)
    down, across = planes.LAYOUTS[kind][1:]
    picture.u, picture.v = (
        (100 + ramp[::down, ::across] * 0.5).astype(np.uint8)[: len(made.u), : made.u.shape[1]]
        for ramp in ramps
    )
    row = 4 * math.ceil(width / 2) if kind in ("yuyv", "uyvy") else width
    data = getattr(picture, "_" + kind)(row + 6)
    spec = {"size": [16, 16], "resize": resize, "resize_to": 18, "interpolation": interpolation}
    fitted = planes.fitted(kind, data, size, spec, row + 6)
    whole = preprocess.fit(planes.rgb(kind, data, size, row + 6), spec)
    assert fitted.shape == (16, 16, 3)
    assert fitted.dtype == np.uint8
    # Half a color's step to the side would show as 2 levels and more.
    assert np.abs(fitted.astype(int) - whole).mean() < 1.0
    assert np.abs(fitted.astype(int) - whole).max() <= 4


def test_a_color_lies_in_the_middle_of_its_pixels() -> None:
    """A step in U, seen at four times the size: its middle lies between the two pairs of pixels."""
    data = np.full((8, 4, 4), 128, np.uint8)
    data[:, 2:, 1] = 160
    spec = {"size": [8, 32], "resize": "stretch", "interpolation": "bilinear-antialias"}
    blue = planes.fitted("yuyv", data.tobytes(), (8, 8), spec)[0, :, 2].astype(float)
    middle = (blue.min() + blue.max()) / 2
    assert (blue[:16] < middle).all()
    assert (blue[16:] > middle).all()
    assert blue[15] - blue.min() == pytest.approx(blue.max() - blue[16], abs=2)


def test_bgrx_rgb24_and_grey() -> None:
    data = bytes([1, 2, 3, 0, 4, 5, 6, 0])
    assert planes.rgb("bgrx", data, (2, 1)).tolist() == [[[3, 2, 1], [6, 5, 4]]]
    assert planes.rgb("rgb24", b"\1\2\3\4\5\6??", (1, 2), 4).tolist() == [[[1, 2, 3]], [[5, 6, 63]]]
    assert planes.rgb("grey", b"\7\x09??", (1, 2), 2).tolist() == [[[7] * 3], [[63] * 3]]
    spec = {"size": [1, 2], "resize": "none", "interpolation": "nearest"}
    assert planes.fitted("bgrx", data, (2, 1), spec).tolist() == [[[3, 2, 1], [6, 5, 4]]]


def test_a_model_that_resizes_nothing_takes_its_own_size_only() -> None:
    picture, spec = Picture("nv12", 4, 6), {"size": [6, 4], "resize": "none", "interpolation": "nearest"}
    found = planes.fitted("nv12", picture.data, (4, 6), spec)
    np.testing.assert_array_equal(found, planes.rgb("nv12", picture.data, (4, 6)))
    with pytest.raises(ValueError, match="the network takes 6x5"):
        planes.fitted("nv12", picture.data, (4, 6), {**spec, "size": [6, 5]})


@pytest.mark.parametrize("kind", sorted(planes.LAYOUTS))
@pytest.mark.parametrize("change", [-1, 1])
def test_a_picture_of_another_length_is_damaged(kind: str, change: int) -> None:
    data = bytes(planes.length(kind, (5, 3), 20) + change)
    for work in (
        lambda: planes.fitted(kind, data, (5, 3), STRETCH, 20),
        lambda: planes.rgb(kind, data, (5, 3), 20),
    ):
        with pytest.raises(ValueError, match=f"not 5x3 {kind}"):
            work()
