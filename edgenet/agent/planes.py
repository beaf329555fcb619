"""Raw pictures as cameras give them, and the pixels that a network sees of them.

Each plane is resampled to the network's size first, with the same code as every other picture
(:mod:`preprocess`), and colors are converted on what is left: no full picture is ever made.

Layouts and chroma siting: the kernel's Documentation/userspace-api/media/v4l/ (pixfmt-yuv-planar.rst,
pixfmt-packed-yuv.rst): a color lies in the middle of the pixels that share it, so its plane covers the
same field of view as the luma and is resampled to the same places.
"""

import numpy as np

from . import preprocess

# name: (bytes a pixel in a row of the first plane, pixels that share a color: down, across; 0 where each has
# its own three)
LAYOUTS = {
    "yuv420": (1, 2, 2),
    "nv12": (1, 2, 2),
    "yuyv": (2, 1, 2),
    "grey": (1, 0, 0),
    "rgb24": (3, 0, 0),
    "bgrx": (4, 0, 0),
}
# name: (Kr, Kb, whether Y and the colors reach over all of 0 to 255) of ITU-R BT.601 and BT.709
COLORS = {
    "bt601": (0.299, 0.114, False),
    "bt601-full": (0.299, 0.114, True),
    "bt709": (0.2126, 0.0722, False),
    "bt709-full": (0.2126, 0.0722, True),
}
_SHIFT = 5  # as much as int16 holds of the brightest blue
_TABLES: dict = {}


def fitted(kind, data, size, spec, stride=0, color="bt601"):
    """A raw picture as the network sees it.

    Args:
        kind: A name of ``LAYOUTS``.
        data: Its bytes.
        size: (width, height).
        spec: As :func:`preprocess.fit` takes it.
        stride: Bytes from a row of the first plane to the next; 0 where nothing lies between them.
        color: A name of ``COLORS``.

    Returns:
        uint8 [spec size[0], size[1], 3], RGB.

    Raises:
        ValueError: The bytes are not of such a picture; as :func:`preprocess.fit`.
    """
    if not LAYOUTS[kind][2] or spec["resize"] not in ("stretch", "short-side"):
        return preprocess.fit(rgb(kind, data, size, stride, color), spec)
    luma, *colors = _planes(kind, data, size, stride)
    return _converted(_fit(luma, spec), [_fit_color(plane, size, spec) for plane in colors], color)


def rgb(kind, data, size, stride=0, color="bt601"):
    """The whole picture, uint8 [height, width, 3], RGB, perhaps a view of ``data``; as :func:`fitted`."""
    planes = _planes(kind, data, size, stride)
    if len(planes) == 1:
        return planes[0] if kind != "grey" else np.repeat(planes[0][:, :, None], 3, axis=2)
    return _converted(planes[0], [_spread(plane, size) for plane in planes[1:]], color)


def length(kind, size, stride=0):
    """How many bytes a picture has."""
    rows, stride = size[1], stride or _row(kind, size[0])
    shared = -(-rows // 2) * (stride + stride % 2)
    return stride * rows + (shared if LAYOUTS[kind][1] == 2 else 0)


def _row(kind, width):
    return 4 * -(-width // 2) if kind == "yuyv" else LAYOUTS[kind][0] * width


def _planes(kind, data, size, stride):
    """Views of the bytes: [Y, U, V] as [rows, columns], or one, with its channels last where it has some."""
    (width, height), data = size, np.frombuffer(data, np.uint8)
    if data.size != length(kind, size, stride):
        raise ValueError("a picture of {} bytes, not {}x{} {}".format(data.size, width, height, kind))
    stride, row = stride or _row(kind, width), _row(kind, width)
    first = data[: stride * height].reshape(height, stride)[:, :row]
    if kind == "rgb24":
        return [first.reshape(height, width, 3)]
    if kind == "bgrx":
        return [first.reshape(height, width, 4)[:, :, 2::-1]]
    if kind == "grey":
        return [first]
    if kind == "yuyv":
        return [first[:, : 2 * width : 2], first[:, 1::4], first[:, 3::4]]
    rows, columns = -(-height // 2), -(-width // 2)
    rest = data[stride * height :]
    if kind == "nv12":
        pairs = rest.reshape(rows, -1)[:, : 2 * columns]
        return [first, pairs[:, ::2], pairs[:, 1::2]]
    return [first] + [plane[:, :columns] for plane in rest.reshape(2, rows, -1)]


def _spread(plane, size):
    """A plane of colors with one for each pixel."""
    for axis, pixels in enumerate((size[1], size[0])):
        if plane.shape[axis] != pixels:
            plane = np.repeat(plane, 2, axis)
    return plane[: size[1], : size[0]]


def _fit(plane, spec):
    return preprocess.fit(plane[:, :, None], spec)[:, :, 0]


def _fit_color(plane, size, spec):
    """A plane of colors in the places of the network's pixels."""
    (width, height), (rows, columns) = size, plane.shape
    if height % rows or width % columns:  # its last color hangs over the picture's edge
        return _fit(_spread(plane, size), spec)
    if rows * width == columns * height or spec["resize"] == "stretch":
        return _fit(plane, spec)
    return _fit(np.repeat(plane, 2, axis=1), spec)


def _converted(luma, colors, color):
    """RGB of Y, U and V, each uint8 [rows, columns]."""
    light, tables = _tables(color)
    u, v = colors
    light, made = light[luma], np.empty(luma.shape + (3,), np.uint8)
    for channel, tint in enumerate((tables[0][v], tables[1][u] + tables[2][v], tables[3][u])):
        np.right_shift(np.add(light, tint, out=tint), _SHIFT, out=tint)
        made[:, :, channel] = np.clip(tint, 0, 255, out=tint)
    return made


def _tables(color):
    """int16 [256] of Y, and of what V adds to red, U and V to green, U to blue, in 1/32."""
    if color not in _TABLES:
        red, blue, full = COLORS[color]
        green, swing = 1.0 - red - blue, 255.0 / (255 if full else 224)
        factors = (
            2 * (1 - red),
            -2 * blue * (1 - blue) / green,
            -2 * red * (1 - red) / green,
            2 * (1 - blue),
        )
        light = _table(1.0 if full else 255.0 / 219, 0 if full else 16) + (1 << _SHIFT - 1)
        _TABLES[color] = light, [_table(factor * swing, 128) for factor in factors]
    return _TABLES[color]


def _table(factor, offset):
    return np.round((np.arange(256) - offset) * factor * (1 << _SHIFT)).astype(np.int16)
