"""Raw pictures as cameras give them, and the pixels that a network sees of them.

Each plane is resampled to the network's size first, with the same code as every other picture
(:mod:`preprocess`), and colors are converted on what is left: no full picture is ever made.

Layouts and chroma siting: the kernel's Documentation/userspace-api/media/v4l/ (pixfmt-yuv-planar.rst,
pixfmt-packed-yuv.rst): a color lies in the middle of the pixels that share it, so its plane covers the
same field of view as the luma and is resampled to the same places.
"""

import numpy as np

from . import preprocess
from .geometry import PADDED, geometry
from .resample import resampled
from .resample.gather import buffer

# name: (bytes a pixel in a row of the first plane, pixels that share a color: down, across; 0 where each has
# its own three)
LAYOUTS = {
    "yuv420": (1, 2, 2),
    "nv12": (1, 2, 2),
    "yuyv": (2, 1, 2),
    "uyvy": (2, 1, 2),
    "grey": (1, 0, 0),
    "rgb24": (3, 0, 0),
    "bgrx": (4, 0, 0),
}
# Where in two pixels' four bytes the first Y, U and V are.
_PACKED = {"yuyv": (0, 1, 3), "uyvy": (1, 0, 2)}
# name: (Kr, Kb, whether Y and the colors reach over all of 0 to 255) of ITU-R BT.601 and BT.709
COLORS = {
    "bt601": (0.299, 0.114, False),
    "bt601-full": (0.299, 0.114, True),
    "bt709": (0.2126, 0.0722, False),
    "bt709-full": (0.2126, 0.0722, True),
}
_SHIFT = 16


def fitted(kind, data, size, spec, stride=0, color="bt601", out=None):
    """A raw picture as the network sees it.

    Args:
        kind: A name of ``LAYOUTS``.
        data: Its bytes.
        size: (width, height).
        spec: As :func:`preprocess.fit` takes it.
        stride: Bytes from a row of the first plane to the next; 0 where nothing lies between them.
        color: A name of ``COLORS``.
        out: Where the result belongs; made where there is none.

    Returns:
        uint8 [spec size[0], size[1], 3], RGB.

    Raises:
        ValueError: The bytes are not of such a picture; as :func:`preprocess.fit`.
    """
    out = np.empty(tuple(spec["size"]) + (3,), np.uint8) if out is None else out
    planes, way = _planes(kind, data, size, stride), geometry(size[1], size[0], spec)
    if planes[0].shape[2] > 1 or way.source != (0, 0, size[1], size[0]) or spec["resize"] in PADDED:
        return preprocess.fit(rgb(kind, data, size, stride, color), spec, out)
    parts = planes[:1] + [_whole(plane, size, LAYOUTS[kind]) for plane in planes[1:]]
    window = way.full, way.first, tuple(spec["size"]), spec["interpolation"]
    fits = (resampled(part, *window) for part in parts)
    if kind != "grey":
        return _converted(fits, color, out)
    np.copyto(out, next(fits))
    return out


def rgb(kind, data, size, stride=0, color="bt601"):
    """The whole picture, uint8 [height, width, 3], RGB; as :func:`fitted`.

    It may be a view of ``data``, or a buffer that this thread's next call overwrites.
    """
    planes = _planes(kind, data, size, stride)
    if kind == "rgb24":
        return planes[0]
    made = buffer("rgb", (size[1], size[0], 3), np.uint8)
    if len(planes) > 1:
        return _converted(planes[:1] + [_spread(plane, size) for plane in planes[1:]], color, made)
    for channel in range(3):  # numpy copies three planes faster than pixels turned around
        made[:, :, channel] = planes[0][:, :, 2 - channel if kind == "bgrx" else 0]
    return made


def length(kind, size, stride=0):
    """How many bytes a picture has."""
    rows, stride = size[1], stride or _row(kind, size[0])
    shared = -(-rows // 2) * (stride + stride % 2)
    return stride * rows + (shared if LAYOUTS[kind][1] == 2 else 0)


def _row(kind, width):
    return 4 * -(-width // 2) if kind in _PACKED else LAYOUTS[kind][0] * width


def _planes(kind, data, size, stride):
    """Views of the bytes, uint8 [rows, columns, 1] of Y, U and V; or one with the layout's own channels."""
    (width, height), data = size, np.frombuffer(data, np.uint8)
    if data.size != length(kind, size, stride):
        raise ValueError("a picture of {} bytes, not {}x{} {}".format(data.size, width, height, kind))
    row = _row(kind, width)
    stride = stride or row
    if stride < row:
        raise ValueError("rows of {} bytes, not {}x{} {}".format(stride, width, height, kind))
    first = data[: stride * height].reshape(height, stride)[:, :row]
    if not LAYOUTS[kind][2]:
        return [first.reshape(height, width, -1)]
    if kind in _PACKED:
        luma, blue, red = _PACKED[kind]
        found = [first[:, luma : 2 * width : 2], first[:, blue::4], first[:, red::4]]
    else:
        found = [first] + _colors(kind, data[stride * height :], size)
    return [plane[:, :, None] for plane in found]


def _colors(kind, data, size):
    rows, columns = -(-size[1] // 2), -(-size[0] // 2)
    if kind == "nv12":
        pairs = data.reshape(rows, -1)[:, : 2 * columns]
        return [pairs[:, ::2], pairs[:, 1::2]]
    return [plane[:, :columns] for plane in data.reshape(2, rows, -1)]


def _spread(plane, size):
    """A plane of colors with one for each pixel."""
    for axis, pixels in enumerate((size[1], size[0])):
        if plane.shape[axis] != pixels:
            plane = np.repeat(plane, 2, axis)
    return plane[: size[1], : size[0]]


def _whole(plane, size, layout):
    """A plane of colors over just the picture's field of view."""
    hangs_over = size[1] % layout[1] or size[0] % layout[2]
    return _spread(plane, size) if hangs_over else plane


def _converted(fits, color, out):
    """Write RGB of Y, U and V, uint8 [rows, columns, 1] and each only needed until the next is asked for."""
    luma, blue, red, green, zero = _factors(color)
    total, tint, greener = (buffer(name, out.shape[:2], np.int32) for name in ("light", "tint", "greener"))
    fits = (plane[:, :, 0] for plane in fits)
    np.multiply(next(fits), luma, out=total, dtype=np.int32)
    np.subtract(total, luma * zero - (1 << _SHIFT - 1), out=total)
    for plane, channel, factor, share, rest in zip(fits, (2, 0), (blue, red), green, (greener, tint)):
        np.multiply(plane, factor, out=tint, dtype=np.int32)
        _write(out[:, :, channel], total, tint, 128 * factor)
        np.multiply(plane, share, out=rest, dtype=np.int32)
    np.add(tint, greener, out=tint)
    _write(out[:, :, 1], total, tint, 128 * sum(green))
    return out


def _write(target, light, tint, zero):
    np.subtract(tint, zero, out=tint)
    np.add(tint, light, out=tint)
    np.right_shift(tint, _SHIFT, out=tint)
    np.maximum(tint, 0, out=tint)
    np.minimum(tint, 255, out=tint)
    np.copyto(target, tint, casting="unsafe")


def _factors(color):
    """In 1/65536: of Y, of U in blue, of V in red, of both in green; and the Y that is black."""
    kr, kb, full = COLORS[color]
    swing, kg = 1.0 if full else 255.0 / 224, 1 - kr - kb
    blue, red = 2 * (1 - kb) * swing, 2 * (1 - kr) * swing
    factors = 1.0 if full else 255.0 / 219, blue, red, -blue * kb / kg, -red * kr / kg
    luma, blue, red, *green = (int(round(factor * (1 << _SHIFT))) for factor in factors)
    return luma, blue, red, green, 0 if full else 16
