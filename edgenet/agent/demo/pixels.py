"""Any source's picture as RGB, and RGB as a picture that browsers show."""

import struct
import zlib

import numpy as np

from .. import exif, preprocess

# Raw layouts a source may give: bytes a pixel.
LAYOUTS = {"yuv420": 1.5, "yuyv": 2, "bgrx": 4, "rgb24": 3}
QUALITY = 80
_SHIFT = 6


def _table(factor, offset):
    return np.round((np.arange(256) - offset) * factor * (1 << _SHIFT)).astype(np.int16)


# ITU-R BT.601, studio range: what cameras' YUV is unless they say otherwise.
_Y = _table(255.0 / 219, 16) + (1 << _SHIFT - 1)
_RED_V, _GREEN_U, _GREEN_V, _BLUE_U = (_table(f, 128) for f in (1.596, -0.391, -0.813, 2.018))


class Converter(object):
    """Pictures as RGB; the buffers are made once for each size."""

    def __init__(self):
        self._shape = None

    def rgb(self, frame):
        """uint8 [height, width, 3] of a frame: a view of it, or a buffer that the next call overwrites.

        Raises:
            ValueError: It is damaged.
        """
        if frame.kind == "rgb":
            return frame.data
        if frame.kind == "jpeg":
            return preprocess.decode(frame.data)
        width, height = frame.size
        data = np.frombuffer(frame.data, np.uint8)
        if data.size != int(width * height * LAYOUTS[frame.kind]):
            raise ValueError(
                "a picture of {} bytes, not {}x{} {}".format(data.size, width, height, frame.kind)
            )
        if frame.kind == "rgb24":
            return data.reshape(height, width, 3)
        self._prepare(height, width)
        if frame.kind == "bgrx":
            np.copyto(self._rgb, data.reshape(height, width, 4)[:, :, 2::-1])
            return self._rgb
        return self._from_yuv(*(_planes_420 if frame.kind == "yuv420" else _planes_422)(data, height, width))

    def _prepare(self, height, width):
        if self._shape != (height, width):
            self._shape = (height, width)
            self._rgb = np.empty((height, width, 3), np.uint8)
            self._sum, self._luma = (np.empty((height, width), np.int16) for _ in range(2))

    def _from_yuv(self, y, u, v, rows):
        np.take(_Y, y, out=self._luma)
        parts = (_RED_V[v],), (_GREEN_U[u] + _GREEN_V[v],), (_BLUE_U[u],)
        for channel, (chroma,) in enumerate(parts):
            spread = self._luma.reshape(y.shape[0] // rows, rows, y.shape[1] // 2, 2)
            total = self._sum.reshape(spread.shape)
            np.add(spread, chroma[:, None, :, None], out=total)
            np.right_shift(self._sum, _SHIFT, out=self._sum)
            np.clip(self._sum, 0, 255, out=self._sum)
            self._rgb[:, :, channel] = self._sum
        return self._rgb


def turned(frame):
    """A frame's Exif orientation, 1 to 8."""
    return exif.orientation(frame.data) if frame.kind == "jpeg" else frame.turned


def oriented(image, frame, spec):
    """A frame's RGB pixels as a model of this preprocessing takes them: upright, or as they are stored."""
    applies = spec.get("orientation") == preprocess.APPLY
    return exif.upright(image, turned(frame)) if applies else image


def _planes_420(data, height, width):
    """Y, U, V and how many rows share a color, of planar 4:2:0."""
    size = height * width
    color = (height // 2, width // 2)
    return (
        data[:size].reshape(height, width),
        data[size : size * 5 // 4].reshape(color),
        data[size * 5 // 4 :].reshape(color),
        2,
    )


def _planes_422(data, height, width):
    """The same of packed YUYV."""
    pairs = data.reshape(height, width // 2, 4)
    return data.reshape(height, width, 2)[:, :, 0], pairs[:, :, 1], pairs[:, :, 3], 1


def encode(image, lossless=False):
    """``(bytes, "jpeg" or "png")`` of uint8 [height, width, 3]; PNG where JPEG cannot be written here."""
    data = None if lossless else preprocess.encode_jpeg(image, QUALITY)
    return (data, "jpeg") if data else (_png(image), "png")


def _png(image):
    """PNG (RFC 2083) with zlib alone, rows unfiltered."""
    height, width = image.shape[:2]
    rows = np.zeros((height, 1 + width * 3), np.uint8)
    rows[:, 1:] = image.reshape(height, width * 3)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) & 0xFFFFFFFF)
        for name, data in chunks
    )
